#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2034
# image-unpack --upgrade: stores whose opaque directories have a mark instead of whiteouts.

load lib
load images

need root
need prog getfattr python3

test_setup() {
	STORE=$SCRATCH/store
	image first '{"layers":[{"files":{"d":{"type":"dir"},"d/old":"1","d/sub/x":"2","e/f":"3"}},
		{"files":{"d":{"type":"dir","uid":5,"mode":"750"},"d/.wh..wh..opq":"","d/new":"4",
			"d/sub":{"type":"dir"}}}]}'
	image second '{"layers":[{"files":{"d":{"type":"dir"},"d/old":"1","d/sub/x":"2","e/f":"3"}},
		{"files":{"d":{"type":"dir","uid":5,"mode":"750"},"d/.wh..wh..opq":"","d/new":"4",
			"d/sub":{"type":"dir"}}},{"files":{"top":"5"}}]}'
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" first
}

# make_old [PREFIX]: the store as an older version would have made it.
make_old() {
	"$TESTS/fixtures/marked_store.py" "$STORE" "$@"
	[ "$(getfattr -Rhd -m overlay "$STORE" | grep -c opaque)" -gt 0 ]
}

# shown NAME [OPTIONS]: what an overlay of the image's layers shows.
shown() {
	mkdir -p m
	mount -t overlay overlay -o "ro,lowerdir=$(sed "s|^|$STORE/|" "$STORE/images/$1/layers" |
		paste -sd:)${2:-}" m
	(cd m && find . -mindepth 1 | sort | paste -sd' ')
	umount m
}

right="./d ./d/new ./d/sub ./e ./e/f"

@test "an upgraded image has whiteouts, and every mount shows the same" {
	make_old
	must_equal "$(shown first)" "$right"
	must_equal "$(shown first ,userxattr)" "./d ./d/new ./d/old ./d/sub ./d/sub/x ./e ./e/f"
	old=$(head -n1 "$STORE/images/first/layers")
	inode=$(stat -c %i "$STORE/$old/d/new")
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade
	output_has "upgraded first: 1 of 2 layers (opaque directories: 2, new whiteouts: 2)" ... \
		"removed ${old#layers/}"
	must_equal "$(shown first)" "$right"
	must_equal "$(shown first ,userxattr)" "$right"
	must_equal "$(getfattr -Rhd -m overlay "$STORE")" ""
	new=$STORE/$(head -n1 "$STORE/images/first/layers")
	must_equal "$(stat -c '%u:%g %a' "$new/d")" "5:0 750"
	must_equal "$(stat -c %i "$new/d/new")" "$inode" # a hard link, not a copy
	[ ! -e "$STORE/$old" ]
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --verify first
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade
	must_equal "$output" "first: nothing to upgrade"
}

@test "--dry-run changes nothing, and an image that does not exist is named" {
	make_old
	local places=("$STORE/layers" "$STORE/images")
	before=$(find "${places[@]}" -printf '%P %i %s %C@\n' | sort)
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade first --dry-run
	output_has "would upgrade first: 1 of 2 layers"
	must_equal "$(find "${places[@]}" -printf '%P %i %s %C@\n' | sort)" "$before"
	must_fail 1 "there is no such image" "$SHIFTBOX" image-unpack -s "$STORE" --upgrade other
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade first --json
	json 'd[0]["event"] == "upgrade" and d[0]["changed"] == 1 and d[0]["upgraded"] is True'
}

@test "what is mounted stays, and is named" {
	make_old
	mkdir mnt
	must_work_but no-map "$SHIFTBOX" mount-idmapped -s "$STORE" -o ro image:first mnt
	old=$(head -n1 "$STORE/images/first/layers")
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade
	output_has "kept ${old#layers/}: it is mounted"
	must_equal "$(cat mnt/d/new)" 4
	[ -d "$STORE/$old" ]
	umount mnt
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --prune
	[ ! -e "$STORE/$old" ]
}

@test "images that share a layer share the new one" {
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" second
	make_old
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade
	must_equal "$(sed 1d "$STORE/images/second/layers")" "$(cat "$STORE/images/first/layers")"
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --prune
	must_equal "$output" "$NONE_TO_REMOVE"
}

@test "a layer with marks is not shared with a new image" {
	make_old
	must_work "$SHIFTBOX" image-unpack -s "$STORE" second
	must_equal "$(shown second ,userxattr)" "$right ./top"
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade first
	must_equal "$(sed 1d "$STORE/images/second/layers")" "$(cat "$STORE/images/first/layers")"
}

@test "an image that was unpacked without devices gets none from another image" {
	image made '{"layers":[{"files":{"d":{"type":"dir"},"d/old":"1"}},
		{"files":{"d":{"type":"dir"},"d/.wh..wh..opq":"","d/new":"4",
			"null":{"type":"char","dev":[1,3]}}}]}'
	capture "$SHIFTBOX" image-unpack -q -s "$STORE" --devices=skip -N skipped made
	[ "$status" = 0 ]
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" made
	make_old
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade made skipped
	must_equal "$(shown made)" "./d ./d/new ./null"
	must_equal "$(shown skipped)" "./d ./d/new"
	must_equal "$(shown skipped ,userxattr)" "./d ./d/new"
}

@test "a layer that an image lists twice hides other names the second time" {
	image twice '{"layers":[{"files":{"d":{"type":"dir"},"d/old":"1"}},
		{"files":{"d/":{"type":"dir"},"d/.wh..wh..opq":"","d/new":"4"}},
		{"files":{"d/x":"1"}},
		{"files":{"d/":{"type":"dir"},"d/.wh..wh..opq":"","d/new":"4"}},
		{"files":{"d/":{"type":"dir"},"d/.wh..wh..opq":"","d/new":"4"}}]}'
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" twice
	make_old
	must_equal "$(sort -u "$STORE/images/twice/layers" | wc -l)" 4
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade twice
	output_has "upgraded twice: 3 of 5 layers"
	must_equal "$(shown twice ,userxattr)" "./d ./d/new"
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --verify twice
}

@test "damaged dependencies of a layer are refused, and nothing is changed" {
	make_old
	layer=$STORE/$(head -n1 "$STORE/images/first/layers")
	for text in "junk" "dir /d yes\njunk\n" "dir /d yes"; do
		# shellcheck disable=SC2059
		printf "$text" >"$layer.lower"
		must_fail 1 "are not recorded in a known form" \
			"$SHIFTBOX" image-unpack -s "$STORE" --upgrade
		stderr_has "try:" ... "unpack them again"
		must_equal "$(cd "$STORE/layers" && echo sha256-*.????????????????)" \
			"sha256-*.????????????????"
	done
	must_equal "$(shown first)" "$right"
}

@test "a store with a base, and the store of a user namespace" {
	image third '{"layers":[{"files":{"d":{"type":"dir"},"d/old":"1","d/sub/x":"2","e/f":"3"}},
		{"files":{"d/.wh..wh..opq":"","d/new":"4","d/sub":{"type":"dir"}}}]}'
	for prefix in trusted user; do
		rm -rf "$STORE"
		in='' base=''
		if [ $prefix = user ]; then in=in_userns; else base='--base 200000'; fi
		# shellcheck disable=SC2086
		must_work $in "$SHIFTBOX" image-unpack -q -s "$STORE" $base third
		make_old $prefix
		must_work $in "$SHIFTBOX" image-unpack -s "$STORE" --upgrade
		output_has "upgraded third: 1 of 2 layers"
		must_equal "$(getfattr -Rhd -m overlay "$STORE")" ""
		must_work $in "$SHIFTBOX" image-unpack -s "$STORE" --verify third
		must_equal "$(shown third)" "$right"
	done
}

@test "shift-check finds layers that one kind of mount shows wrongly" {
	make_old
	mkdir mnt
	must_work "$SHIFTBOX" mount-idmapped -s "$STORE" -m none -o ro image:first mnt
	must_fail 3 "" "$SHIFTBOX" shift-check verify --image first --store "$STORE" \
		-m 0:0:4294967295 mnt
	output_has "marks: mnt: layer sha256-" ... "has opaque directories with" \
		"trusted.overlay.opaque alone, 2 in number: a mount with userxattr or in a user" \
		"namespace shows what they hide"
	must_work "$SHIFTBOX" shift-check verify --image first --store "$STORE" --only mismatch \
		-m 0:0:4294967295 mnt
	must_work "$SHIFTBOX" shift-check explain mnt/d
	output_has "/d hides lower layers by trusted.overlay.opaque alone"
	umount mnt
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade
	must_work "$SHIFTBOX" mount-idmapped -s "$STORE" -m none -o ro image:first mnt
	must_work "$SHIFTBOX" shift-check verify --image first --store "$STORE" \
		-m 0:0:4294967295 mnt
	must_work "$SHIFTBOX" shift-check explain mnt/d
	[[ $output != *marked* ]]
	umount mnt
}

@test "a kill leaves the image as it was, or upgraded" {
	LEAVES_STAGING=1
	for ((n = 1; n < 40; n += 2)); do
		rm -rf "$STORE"
		must_work "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" first
		make_old
		strace -f -qq -o /dev/null -e trace=renameat,renameat2,linkat,mknodat,mkdirat \
			-e "inject=renameat,renameat2,linkat,mknodat,mkdirat:signal=KILL:when=$n" \
			"$SHIFTBOX" image-unpack -s "$STORE" --upgrade >/dev/null 2>&1 || true
		must_equal "$(shown first)" "$right"
		must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade
		must_equal "$(shown first ,userxattr)" "$right"
		must_work "$SHIFTBOX" image-unpack -s "$STORE" --verify first
	done
}
