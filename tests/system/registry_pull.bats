#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images of a registry are those of the layouts that were pushed there.

load lib
load images
load registry
need root
need prog python3 docker-registry skopeo jq

# Put the index of a layout into an index, which is its only item.
nest() {
	local type=application/vnd.oci.image.index.v1+json sum
	jq -c --arg type $type '. + {mediaType: $type}' "$1/index.json" >"$1/inner"
	sum=$(sha256sum <"$1/inner")
	sum=${sum%% *}
	jq -nc --arg type $type --arg sum "sha256:$sum" --argjson size "$(wc -c <"$1/inner")" \
		'{schemaVersion: 2, manifests: [{mediaType: $type, digest: $sum, size: $size}]}' \
		>"$1/index.json"
	mv "$1/inner" "$1/blobs/sha256/$sum"
}

setup_file() {
	if [ -n "$missing" ]; then return; fi
	registry_start
	"$TESTS/fixtures/mkimage.py" "$LAYOUTS/several" <<<'{"images":[
		{"layers":[{"files":{"here":"1"}}],"ref":"a"},
		{"layers":[{"files":{"there":"1"}}],"platform":"linux/s390x","ref":"a"}]}'
	nest "$LAYOUTS/several"
	push small t/docker:1 --format v2s2
	push small t/small:two
	push several t/several:1 --all
}

teardown_file() {
	if [ -n "$missing" ]; then return; fi
	registry_stop
}

test_setup() {
	PROXY=$REGISTRY
}

# The stored images $1 and $2 have the same layers.
same_layers() {
	must_equal "$(cat "store/images/$1/layers")" "$(cat "store/images/$2/layers")"
}

@test "an image is that of its layout, whatever names it, and its layers are shared" {
	local digest
	must_work "$SHIFTBOX" image-unpack -q -s store -N layout "oci:$LAYOUTS/small"
	must_work pull -N a "docker://$REGISTRY/t/small:1"
	[[ $output == *'(0 unpacked, 2 shared)'* ]]
	same_layers a layout
	digest=$(jq -r '.manifests[0].digest' "$LAYOUTS/small/index.json")
	must_work "$SHIFTBOX" image-unpack -s store --show a --json
	must_equal "$(jq -r .manifest <<<"$output")" "$digest"
	must_work pull -q -N b "$REGISTRY/t/small:1"
	must_work pull -q -N c "docker://$REGISTRY/t/small@$digest"
	must_work pull -q -N d "docker://$REGISTRY/t/small:1@$digest"
	same_layers b layout
	same_layers c layout
	same_layers d layout
	rm -r store
	must_work pull "docker://$REGISTRY/t/small:1"
	[[ $output == 'small:1: 2 layers (2 unpacked, 0 shared)'* ]]
	[ ! -e store/partial ] || [ -z "$(ls store/partial)" ]
}

@test "docker's manifests, and indexes in indexes" {
	must_work pull -q -N d "docker://$REGISTRY/t/docker:1"
	must_work "$SHIFTBOX" image-unpack -q -s store -N layout "oci:$LAYOUTS/small"
	same_layers d layout
	must_work pull -q -N s "docker://$REGISTRY/t/several:1"
	[ -e "store/$(cat store/images/s/layers)/here" ]
	must_work pull -q -N s --platform linux/s390x "docker://$REGISTRY/t/several:1"
	[ -e "store/$(cat store/images/s/layers)/there" ]
	must_fail 1 'not linux/arm64' pull -N x --platform linux/arm64 \
		"docker://$REGISTRY/t/several:1"
}

@test "--flat, --scan, --dry-run, --show --remote and --tags" {
	must_work "$SHIFTBOX" image-unpack -q --flat l "oci:$LAYOUTS/small"
	must_work "$SHIFTBOX" image-unpack -q --flat r --insecure "$REGISTRY" \
		"docker://$REGISTRY/t/small:1"
	must_equal "$(dump r)" "$(dump l)"
	must_work "$SHIFTBOX" image-unpack --scan "oci:$LAYOUTS/small" --json
	jq -c 'del(.name)' <<<"$output" >l.scan
	must_work "$SHIFTBOX" image-unpack --scan --insecure "$REGISTRY" \
		"docker://$REGISTRY/t/small:1" --json
	must_equal "$(jq -c 'del(.name)' <<<"$output")" "$(cat l.scan)"
	must_work pull -n "docker://$REGISTRY/t/small:1"
	[ ! -e store ]
	must_work "$SHIFTBOX" image-unpack --insecure "$REGISTRY" --tags "$REGISTRY/t/small"
	must_equal "$(sort <<<"$output" | tr '\n' ' ')" '1 TAG two '
	must_work "$SHIFTBOX" image-unpack --insecure "$REGISTRY" --tags "$REGISTRY/t/small" --json
	json '{x["tag"] for x in d} == {"1", "two"}'
	must_work "$SHIFTBOX" image-unpack --insecure "$REGISTRY" --show "$REGISTRY/t/small:1" \
		--remote --json
	json 'len(d[0]["layers"]) == 2 and d[0]["os"] == "linux"'
	must_work "$SHIFTBOX" image-unpack --insecure "$REGISTRY" --show "$REGISTRY/t/small:1" \
		--remote
	[[ $output == *'layers    2, topmost first'* ]]
}

@test "a word that is nearer to something else is not asked of a registry" {
	mkdir -p images.d tree
	for word in docker:x:1 image:x registry:x images.d/x x.tar x tree:1; do
		must_fail 1 'No such file' "$SHIFTBOX" image-unpack -s store "$word"
	done
}

@test "what is not there" {
	must_fail 1 'the registry has no image of this name' pull "docker://$REGISTRY/t/small:3"
	stderr_has 'try: ' ... '--tags'
	must_fail 1 'the registry has no image of this name' pull "docker://$REGISTRY/t/other:1"
	must_fail 1 'the registry has no repository' "$SHIFTBOX" image-unpack --insecure \
		"$REGISTRY" --tags "$REGISTRY/t/other"
	must_fail 1 'the registry has no image of this name' pull \
		"docker://$REGISTRY/t/small@sha256:$(printf '%064d' 1)"
	must_fail 1 'does not speak TLS' "$SHIFTBOX" image-unpack -s store \
		"docker://$REGISTRY/t/small:1"
	stderr_has 'try: ' ... "--insecure $REGISTRY"
	must_fail 1 'cannot connect to the server' pull docker://127.0.0.1:1/x
	must_fail 2 'not a valid tag' pull "docker://$REGISTRY/t/small:-"
	[ ! -e store ]
}

@test "an ordinary user" {
	need subid
	make_user alice 1000 100000 65536
	mkdir -m 700 alice
	chown 1000:1000 alice
	let_in as_user alice "$SHIFTBOX" image-unpack -q -s alice/store --insecure "$REGISTRY" \
		"docker://$REGISTRY/t/big:1"
	cmp "alice/store/$(cat alice/store/images/big:1/layers)/big" \
		"$BATS_FILE_TMPDIR/registry/random"
	let_in as_user alice "$SHIFTBOX" image-unpack -q --scan --insecure "$REGISTRY" \
		"docker://$REGISTRY/t/small:1"
}

@test "a signal ends it at once, and what has arrived is kept" {
	local began
	PROXY=
	fault stall:6000000
	proxy_start
	"$SHIFTBOX" image-unpack -s store -q --insecure "$PROXY" -N big \
		"docker://$PROXY/t/big:1" 3>&- &
	until [ "$(stat -c %s store/partial/* 2>/dev/null || echo 0)" -gt 5000000 ]; do
		sleep 0.1
	done
	began=$SECONDS
	kill -TERM $! # bash lets its background commands ignore SIGINT
	wait $! || [ $? = 143 ]
	[ $((SECONDS - began)) -lt 10 ]
	[ "$(stat -c %s store/partial/*)" -gt 5000000 ]
	servers_stop
}
