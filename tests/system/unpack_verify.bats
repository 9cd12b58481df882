#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --verify: each way in which a stored layer can differ from its specification is found, and nothing
# else is.

load lib
need root
need prog python3

IMAGE='{"layers":[
	{"files":{"etc":{"type":"dir","uid":5,"mode":"751"},"etc/a":{"data":"one","uid":70000,
	"mode":"4755"},"etc/gone":"x","l":{"type":"symlink","to":"etc/a"},
		"n":{"type":"char","dev":[1,3]},"p":{"type":"fifo"},"d/e/":{"type":"dir"},
		"d/e/f":"deep"}},
	{"files":{"etc/.wh.gone":"","etc/.wh.nothing":"","d/.wh..wh..opq":"","d/new":"1",
	"h":"linked","h2":{"type":"link","to":"h"},"x/y/z":"implied"}},
	{"files":{}}]}'

test_setup() {
	STORE=$SCRATCH/store
	"$TESTS/fixtures/mkimage.py" dir <<<"$IMAGE"
	must_work "$SHIFTBOX" image-unpack -s "$STORE" -N i dir
	TOP=$STORE/$(sed -n 2p "$STORE/images/i/layers")
	BASE=$STORE/$(sed -n 3p "$STORE/images/i/layers")
}

verify() {
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --verify i "$@"
}

# finds CLASS PATH TEXT: that, and nothing else
finds() {
	must_fail 3 "" "$SHIFTBOX" image-unpack -s "$STORE" --verify i --json
	stderr_empty
	python3 - "$output" "$@" <<'END'
import json, sys
d = [json.loads(x) for x in sys.argv[1].splitlines()]
got = [(x['event'], x.get('class'), x.get('path')) for x in d]
assert got == [('finding', *sys.argv[2:4]), ('verify', None, None)], d
assert sys.argv[4] in d[0]['detail'] and d[1]['findings'] == 1, d
END
}

@test "an image that nobody touched is right, whatever its layers are made of" {
	verify
	[[ $output == "i: 3 layers, "*" entries checked, no findings" ]]
	verify --quiet
	must_equal "$output" ""
	must_equal "$(find "$STORE/tmp" -mindepth 1 ! -name .lock)" ""
}

@test "a wrong type, owner, mode, size, link or device is found" {
	chmod 755 "$BASE/etc/a"
	finds mode etc/a "4755"
	chmod 4755 "$BASE/etc/a"
	verify
	echo more >>"$BASE/etc/a"
	finds size etc/a "has 8 bytes, and 3 in its archive"
	truncate -s 3 "$BASE/etc/a"
	chmod 4755 "$BASE/etc/a"
	verify
	chown -h 1:0 "$BASE/l"
	finds mismatch l "1"
	chown -h 0:0 "$BASE/l"
	ln -sfn etc/b "$BASE/l"
	finds link l "has another target"
	ln -sfn etc/ "$BASE/l"
	finds link l "has another target"
	ln -sfn etc/a "$BASE/l"
	verify
	rm "$BASE/n" && mknod -m 644 "$BASE/n" c 1 5
	finds type n ""
	rm "$BASE/n" && mknod -m 644 "$BASE/n" c 1 3
	verify
	rm "$BASE/p" && touch "$BASE/p" && chmod 644 "$BASE/p"
	finds type p ""
}

@test "what is missing and what is too much is found, in every layer, and named" {
	mv "$TOP/h" "$TOP/d/new.bak"
	must_fail 3 "" "$SHIFTBOX" image-unpack -s "$STORE" --verify i
	[[ $output == *"missing: ${TOP##*/}/h: "* && $output == *"extra: ${TOP##*/}/d/new.bak: "* &&
		$output == *"2 findings"* ]]
	mv "$TOP/d/new.bak" "$TOP/h"
	verify
	rm -r "$BASE/d/e"
	must_fail 3 "" "$SHIFTBOX" image-unpack -s "$STORE" --verify i
	[[ $output == *"missing: ${BASE##*/}/d/e"* ]]
}

@test "no link is followed out of a layer" {
	mkdir outside
	mv "$BASE/etc" outside/etc
	ln -s "$SCRATCH/outside/etc" "$BASE/etc"
	must_fail 3 "" "$SHIFTBOX" image-unpack -s "$STORE" --verify i
	[[ $output == *"type: ${BASE##*/}/etc: "* ]]
}

@test "an image that is not there is an error, not a finding" {
	must_fail 1 "there is no such image" "$SHIFTBOX" image-unpack -s "$STORE" --verify other
	must_fail 2 "" "$SHIFTBOX" image-unpack -s "$STORE" --verify i --list
	must_fail 2 "unexpected operand" "$SHIFTBOX" image-unpack -s "$STORE" --verify i more
	rm "$BASE.mtree"
	must_fail 1 "mtree" "$SHIFTBOX" image-unpack -s "$STORE" --verify i
}

@test "one thing is not many: layers, entries and findings are counted in words" {
	"$TESTS/fixtures/mkimage.py" one <<<'{"layers":[{"files":{"a":"1"}}]}'
	must_work "$SHIFTBOX" image-unpack --scan one
	[[ $output == *"one: 1 layer, 1 entry, "* ]] || tell "the scan"
	must_work "$SHIFTBOX" image-unpack -s single one
	[[ $output == "one: 1 layer (1 unpacked, 0 shared), 1 entry, "* ]] || tell "the summary"
	must_work "$SHIFTBOX" image-unpack -s single --show one
	[[ $output == *"  1 entry, "* ]] || tell "a layer"
	must_work "$SHIFTBOX" image-unpack -s single --verify one
	must_equal "$output" "one: 1 layer, 2 entries checked, no findings"
	rm single/layers/sha256-*/a
	must_fail 3 "" "$SHIFTBOX" image-unpack -s single --verify one
	[[ $output == *"one: 1 layer, 2 entries checked, 1 finding" ]] || tell "the verdict"
}

@test "an image with a damaged document is replaced by unpacking it again" {
	local document
	"$TESTS/fixtures/mkimage.py" again <<<'{"layers":[{"bulk":3,"seed":1}]}'
	for document in layers manifest.json config.json; do
		must_work "$SHIFTBOX" image-unpack -q -s again-store -N a again
		echo sha256-x >"again-store/images/a/$document"
		must_work "$SHIFTBOX" image-unpack -q -s again-store -N a again
		must_work "$SHIFTBOX" image-unpack -s again-store --verify a
	done
}
