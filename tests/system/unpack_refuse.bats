#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images that lie or are damaged: refused with a message that says where, and the store stays as it
# was.

load lib
need root
need prog python3

test_setup() {
	STORE=$SCRATCH/store
	echo '{"layers":[{"files":{"etc":{"type":"dir"},"etc/a":"one"}}]}' |
		"$TESTS/fixtures/mkimage.py" good
	must_work "$SHIFTBOX" image-unpack -s "$STORE" -N kept good
	BEFORE=$(snapshot)
}

# All that is in the store. Staging comes and goes in tmp/, which changes its time.
snapshot() {
	(
		cd "$STORE" || exit
		find . -path ./tmp -prune -o -printf '%p %y %m %U:%G %s %T@ %l\n' | sort
		find . -type f -exec sha256sum {} + | sort
		ls -A tmp
	)
}

# refused TEXT JSON: the image that JSON describes, on top of a good layer
refused() {
	rm -rf bad
	"$TESTS/fixtures/mkimage.py" bad <<<"$2"
	must_fail 1 "$1" "$SHIFTBOX" image-unpack -s "$STORE" -N bad "${@:3}" oci:bad
	must_equal "$(snapshot)" "$BEFORE"
	must_fail 1 "$1" "$SHIFTBOX" image-unpack -s "$STORE" -N kept "${@:3}" oci:bad
	must_equal "$(snapshot)" "$BEFORE"
}

LAYER='"files":{"etc":{"type":"dir"},"etc/b":"two"},"bulk":40'
GOOD='{"files":{"base":"x"}}'

@test "a layer that is not what its digest, size or diff_id says is refused, and named" {
	local k=0 lie
	while read -r lie; do
		for compress in gzip none xz bzip2; do
			refused "', layer 2 of 3 (sha256:" \
				'{"layers":['"$GOOD"',{'"$LAYER"',"compress":"'$compress'",
				'"$lie"'},{"files":{"top":"y"}}]}'
			k=$((k + 1))
		done
	done <<-'END'
		"digest_lie":true
		"diff_id_lie":true
		"replaced":true
		"missing":true
		"size":17
		"size":1000000
	END
	[ $k = 24 ]
}

@test "the message tells which of them it was" {
	refused "the blob's digest is wrong" '{"layers":[{'"$LAYER"',"digest_lie":true}]}'
	[[ $stderr == *"why:  it is sha256:"*" and should be sha256:"* ]]
	refused "the diff_id (the digest of the uncompressed layer) is wrong" \
		'{"layers":[{'"$LAYER"',"diff_id_lie":true}]}'
	refused "the blob is missing" '{"layers":[{'"$LAYER"',"missing":true}]}'
	[[ $stderr == *"try:  fetch the image again, with all its layers"* ]]
	refused "its descriptor says 17" '{"layers":[{'"$LAYER"',"size":17}]}'
	[[ $stderr == *"try:  fetch the image again"* ]]
}

@test "a blob whose content is damaged although its digest is right is refused" {
	refused "the gzip stream is cut short" '{"layers":[{'"$LAYER"',"cut":9}]}'
	[[ $stderr == *"try:  fetch the image again"* ]]
	refused "the gzip stream is cut short" '{"layers":[{'"$LAYER"',"cut":1}]}'
	refused "other bytes follow the end of the gzip stream" \
		'{"layers":[{'"$LAYER"',"tail":"more"}]}'
	refused "layer 1 of 1 (sha256:" '{"layers":[{'"$LAYER"',"compress":"none","cut":15000}]}'
	refused "xz" '{"layers":[{'"$LAYER"',"compress":"xz","cut":9}]}'
	refused "bzip2" '{"layers":[{'"$LAYER"',"compress":"bzip2","cut":9}]}'
}

@test "what is no archive is called that, without a name made of its bytes" {
	yes nonsense | head -c 2000 >text
	must_fail 1 "layer 1 of 1 (text): is not a tar archive" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N bad text
	[[ $stderr != *nonsense* ]] || tell "its bytes are shown"
	must_equal "$(snapshot)" "$BEFORE"
}

@test "an entry that climbs out or goes through a link is refused, and nothing is written" {
	echo safe >canary
	refused "'../canary'" '{"layers":['"$GOOD"',{"files":{"../canary":"gone"}}]}'
	[[ $stderr == *"layer 2 of 2 (sha256:"* ]]
	refused "'a/../../../canary'" '{"layers":[{"files":{"a/../../../canary":"gone"}}]}'
	# The way of a symbolic link as parent: replaced or refused, but never followed.
	"$TESTS/fixtures/mkimage.py" links <<<'{"layers":[{"files":{"way":{"type":"symlink",
		"to":"'"$SCRATCH"'"},"way/canary":"gone"}}]}'
	"$SHIFTBOX" image-unpack -q -s "$STORE" -N links links || true
	must_equal "$(cat canary)" safe
}

@test "documents that are not what they should be are refused" {
	local l='"layers":['"$GOOD"']'
	mkdir files
	must_fail 1 "cannot open" "$SHIFTBOX" image-unpack -s "$STORE" files
	[[ $stderr == *"OCI layout"*"tar -C DIR"* ]] || tell "no way out"
	refused "index.json" '{'"$l"',"index_raw":"{\"schemaVersion\":2,"}'
	refused "not valid JSON" '{'"$l"',"index_raw":""}'
	refused "duplicate" \
		'{'"$l"',"index_raw":"{\"schemaVersion\":2,\"manifests\":[],\"manifests\":[]}"}'
	refused 'has no "manifests"' '{'"$l"',"index_raw":"{\"schemaVersion\":2}"}'
	refused "names no image" '{'"$l"',"index":{"manifests":[]}}'
	stderr_has "why:  its list of manifests is empty" ... "try:  copy the image again"
	refused "schemaVersion is 1" '{'"$l"',"manifest":{"schemaVersion":1}}'
	refused "schemaVersion is 3" '{'"$l"',"index":{"schemaVersion":3}}'
	refused 'has "manifests"' '{'"$l"',"manifest":{"manifests":[]}}'
	refused 'has "layers"' '{'"$l"',"index":{"layers":[]}}'
	refused "but its descriptor as" \
		'{'"$l"',
		"manifest":{"mediaType":"application/vnd.docker.distribution.manifest.v2+json"}}'
	refused "declares itself as" \
		'{'"$l"',"manifest":{"mediaType":"application/vnd.oci.image.index.v1+json"}}'
	refused "is not what its digest says" '{'"$l"',"manifest_lie":true}'
	refused "is not what its digest says" '{'"$l"',"config_lie":true}'
	refused "not valid JSON" '{'"$l"',"config_raw":"{]"}'
	refused "not valid JSON" '{'"$l"',"manifest_raw":"[[["}'
	refused 'has no "rootfs"' '{'"$l"',"config":{"rootfs":null}}'
	refused "has 0 diff_ids for 1 layer" \
		'{'"$l"',"config":{"rootfs":{"type":"layers","diff_ids":[]}}}'
	refused "not 'layers'" '{'"$l"',"config":{"rootfs":{"type":"tree","diff_ids":[]}}}'
	refused "does not have 64 digits" \
		'{'"$l"',"config":{"rootfs":{"type":"layers","diff_ids":["sha256:../../../etc"]}}}'
	refused "is not a sha256 digest" \
		'{'"$l"',"config":{"rootfs":{"type":"layers","diff_ids":["md5:00"]}}}'
	refused "imageLayoutVersion is '9.0.0'" \
		'{'"$l"',"layout_raw":"{\"imageLayoutVersion\":\"9.0.0\"}"}'
	refused "unknown media type 'text/plain'" \
		'{"layers":[{"files":{"a":"b"},"media_type":"text/plain"}]}'
	refused '"size" is not an integer' '{"layers":[{"files":{"a":"b"},"size":"12"}]}'
	refused '"size" is not an integer' '{"layers":[{"files":{"a":"b"},"size":12.0}]}'
	refused "the image has no layers" '{"layers":[]}'
	refused '"size" is negative' '{"layers":[{"files":{"a":"b"},"size":-1}]}'
}

@test "what is no plain file inside a layout never blocks and is not followed" {
	local part
	for part in oci-layout index.json "$(find good/blobs -type f | head -n1)"; do
		part=${part#good/}
		rm -rf bad
		cp -r good bad
		rm "bad/$part"
		mkfifo "bad/$part"
		must_fail 1 "is not a regular file" \
			timeout 300 "$SHIFTBOX" image-unpack -s "$STORE" -N bad oci:bad
		rm "bad/$part"
		ln -s "$SCRATCH/good/$part" "bad/$part"
		must_fail 1 "symbolic link" "$SHIFTBOX" image-unpack -s "$STORE" -N bad oci:bad
	done
	must_equal "$(snapshot)" "$BEFORE"
	mkfifo fifo
	must_fail 1 "is a FIFO" timeout 300 "$SHIFTBOX" image-unpack -s "$STORE" -N bad fifo good
	must_fail 1 "" timeout 300 "$SHIFTBOX" image-unpack -s "$STORE" -N bad /dev/zero
}

@test "limits are kept" {
	refused "layer 1 of 1" '{"layers":[{"bulk":60}]}' --max-bytes 100K
	stderr_has "more than 102400 bytes of file data" ... "raise the limit with --max-bytes"
	refused "layer 1 of 1" '{"layers":[{"bulk":60}]}' --max-entries 50
	[[ $stderr == *"more than 50 entries"*"raise the limit with --max-entries"* ]] ||
		tell "no way out"
	"$TESTS/fixtures/mkimage.py" fits <<<'{"layers":[{"bulk":60}]}'
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --max-bytes 240K --max-entries 100 \
		-N fits oci:fits
}

@test "one bad layer among many leaves none of the good ones" {
	local many='{"bulk":50,"seed":1},{"bulk":50,"seed":2},{"bulk":50,"seed":3},
		{"bulk":50,"seed":4},{"bulk":50,"seed":5}'
	local j
	for j in 1 2 8; do
		refused "layer 6 of 6" \
			'{"layers":['"$many"',{"bulk":3,"seed":6,"diff_id_lie":true}]}' -j $j
	done
}

@test "--json tells the same as one object" {
	"$TESTS/fixtures/mkimage.py" bad <<<'{"layers":[{'"$LAYER"',"digest_lie":true}]}'
	must_fail 1 '{"version":1,"error":' "$SHIFTBOX" image-unpack --json -s "$STORE" -N bad bad
	python3 -c 'import json, sys
e = json.loads(sys.argv[1])["error"]
assert "layer 1 of 1 (sha256:" in str(e) and e["why"], e' "$stderr"
}
