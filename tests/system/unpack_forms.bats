#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# One tree, whichever program packed it and in whichever form: ten images of umoci and buildah, each
# as an OCI layout with three compressions, an oci-archive and a docker-archive, compressed or not.

load lib
need root
need prog umoci buildah skopeo zstd python3 setcap

setup_file() {
	[ "$(id -u)" = 0 ] || return 0
	DIR=$BATS_FILE_TMPDIR/dir
	export DIR
	mkdir -p "$DIR"
	mount -t tmpfs -o mode=0700 shiftbox-test "$DIR"
	"$BATS_TEST_DIRNAME/../fixtures/ten-images.sh" "$DIR" >&2
}

teardown_file() {
	[ -z "${DIR:-}" ] || umount -l "$DIR"
}

images() {
	(cd "$DIR" && printf '%s\n' [ub]-*)
}

# merged STORE NAME: the dump of the stack
merged() {
	mkdir m
	mount -t overlay overlay m \
		-o "ro,lowerdir=$(sed "s|^|$1/|" "$1/images/$2/layers" |
		cat - <(echo "$SCRATCH/empty") | paste -sd:)"
	"$TESTS/fixtures/treedump.py" m
	umount m
	rmdir m
}

# Without times and attributes: packing keeps neither to the last bit. Nor does buildah pack the
# root itself.
coarse() {
	sed -E '1d; s/ mtime=[0-9-]+//; s/ [^ ]*$//' "$1"
}

# How the layers of a layout begin: all blobs but the documents.
first_bytes() {
	find "$1/blobs" -type f -exec od -An -tx1 -N2 {} \; | tr -d ' ' | sort -u | grep -v 7b22 |
		paste -sd' '
}

# OverlayFS counts the names that a file has in its layer, the hidden ones too.
without_count() {
	sed -E 's/ nlink=[0-9]+//' "$1"
}

@test "the forms are what they are called, and there are ten images" {
	must_equal "$(images | wc -l)" 10
	local name
	for name in $(images); do
		must_equal "$(first_bytes "$DIR/$name/gzip")" 1f8b
		must_equal "$(first_bytes "$DIR/$name/zstd")" 28b5
		# skopeo calls these tar+gzip: what counts is what they are.
		[[ ! $(first_bytes "$DIR/$name/plain") =~ 1f8b|28b5 ]]
	done
	# Several layers, and what is hidden in them.
	must_work "$SHIFTBOX" image-unpack --scan --json "$DIR/b-many/gzip"
	must_equal "$(jq -s 'length > 5 and .[-1].whiteouts > 3 and .[-1].capabilities > 0 and
		.[-1].setuid > 0' <<<"$output")" true
}

@test "all forms of an image give the same merged tree: umoci's, and the one that was packed" {
	local name form
	mkdir empty
	for name in $(images); do
		umoci unpack --image "$DIR/$name/gzip:latest" umoci >/dev/null 2>&1
		"$TESTS/fixtures/treedump.py" umoci/rootfs >theirs
		rm -r umoci
		[ "$(wc -l <theirs)" -ge 15 ]
		for form in gzip zstd plain oci.tar docker.tar docker.tar.zst; do
			# A store of its own: layers that are there already are not read.
			must_work "$SHIFTBOX" image-unpack -q --no-sync -s "store-$form" \
				-N "$name" "$DIR/$name/$form"
			merged "store-$form" "$name" >ours
			diff <(without_count theirs) <(without_count ours) ||
				say "$name as $form is not what umoci makes of it"
		done
		diff <(coarse "$DIR/$name/tree" | without_count -) <(coarse ours |
			without_count -) || say "$name is not what was packed"
		must_work "$SHIFTBOX" image-unpack -q --no-sync --flat flat "$DIR/$name/docker.tar"
		"$TESTS/fixtures/treedump.py" flat >ours
		diff theirs ours || say "$name is another one with --flat"
		rm -r flat
	done
	# The layers have the same names in all stores: they are those of the tar streams, however
	# these were packed.
	for form in zstd plain oci.tar docker.tar docker.tar.zst; do
		diff <(ls store-gzip/layers) <(ls "store-$form/layers")
	done
}
