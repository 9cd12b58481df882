#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images by SHA-512, and images whose documents and layers are embedded in their descriptors.

load lib
need root
need prog python3 jq

test_setup() {
	STORE=$SCRATCH/store
	"$TESTS/fixtures/mkimage.py" a <<<'{"layers":[{"files":{"f":"1"}},{"files":{"g":"2"}}]}'
	must_work "$SHIFTBOX" image-unpack -s "$STORE" -N plain a
}

# Rewrite the image, unpack it as x, and expect the layers of the original.
same_as_plain() {
	"$TESTS/fixtures/relayout.py" a "$1"
	must_work "$SHIFTBOX" image-unpack -s "$SCRATCH/other" -N x a
	must_equal "$(cat other/images/x/layers)" "$(cat "$STORE/images/plain/layers")"
	must_work "$SHIFTBOX" image-unpack -s "$SCRATCH/other" --verify x
	must_work "$SHIFTBOX" image-unpack -s "$STORE" -N x a
	must_equal "$(find "$STORE/layers" -mindepth 1 -maxdepth 1 -xtype d | wc -l)" 2
}

spoil() { # the last byte of the blob that holds $1
	local blob
	blob=$(find a/blobs -type f -exec grep -la "$1" {} + | head -n1)
	python3 -c 'import sys
b = bytearray(open(sys.argv[1], "rb").read()); b[-1] ^= 1; open(sys.argv[1], "wb").write(b)' "$blob"
}

@test "blobs by SHA-512" {
	same_as_plain sha512-blobs
	must_work "$SHIFTBOX" image-unpack --scan a
	must_work "$SHIFTBOX" image-unpack -s "$STORE" -N y \
		"oci:a:$(jq -r '.manifests[0].digest' a/index.json)"
	tar -C a -cf a.tar .
	must_work "$SHIFTBOX" image-unpack -s "$STORE" -N z oci-archive:a.tar
}

@test "diff_ids by SHA-512, which are verified, and name the layers by SHA-256" {
	same_as_plain sha512
}

@test "a blob, a document or a diff_id that SHA-512 does not confirm is refused" {
	"$TESTS/fixtures/relayout.py" a sha512
	cp -r a b
	spoil rootfs
	must_fail 1 "sha512:" "$SHIFTBOX" image-unpack -s "$STORE" -N x a
	rm -r a
	cp -r b a
	find a/blobs -type f -size -200c | while read -r f; do
		[ "$(head -c2 "$f" | od -An -tx1)" = " 1f 8b" ] || continue
		printf x | dd of="$f" bs=1 seek=30 conv=notrunc 2>/dev/null
	done
	must_fail 1 "is wrong" "$SHIFTBOX" image-unpack -s "$STORE" -N x a
	[ ! -e "$STORE/images/x" ]
}

@test "documents and layers that are embedded, without blobs" {
	same_as_plain embed
	must_equal "$(find a/blobs -type f | wc -l)" 0
}

@test "embedded data that is not what its digest says is refused" {
	"$TESTS/fixtures/relayout.py" a embed-lie
	must_fail 1 "the embedded data is not what its digest and size say" \
		"$SHIFTBOX" image-unpack -s "$SCRATCH/other" -N x a
}
