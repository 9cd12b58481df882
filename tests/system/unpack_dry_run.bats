#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A dry run of image-unpack says which layers the real run reads, what it replaces, and what fails;
# it writes nothing.

load lib
need root
need subid
need prog python3 jq

test_setup() {
	STORE=$SCRATCH/store
}

image() { # DIR JSON
	"$TESTS/fixtures/mkimage.py" "$1" <<<"$2"
}

unpack() {
	capture "$SHIFTBOX" image-unpack -s "$STORE" "$@"
}

# The states of the dry run, then those of the real one: "shared unpack" and the like.
states_are() { # DRY REAL IMAGE
	unpack -n --json -N x "$3"
	must_equal "$(jq -r 'select(.event == "plan") | .state' <<<"$output" | paste -sd' ')" "$1"
	unpack --json -N x "$3"
	must_equal "$(jq -r 'select(.event == "image") | "\(.unpacked) \(.shared)"' \
		<<<"$output")" "$2"
}

fails_alike() { # TEXT WORD...: for image-unpack
	local text=$1 before dry
	shift
	before=$(find . -xdev -printf '%p %s %T@\n' | sort)
	must_fail 1 "$text" "$SHIFTBOX" image-unpack -n "$@"
	must_equal "$(find . -xdev -printf '%p %s %T@\n' | sort)" "$before"
	dry=${stderr%%$'\n'*}
	must_fail 1 "$text" "$SHIFTBOX" image-unpack "$@"
	must_equal "${stderr%%$'\n'*}" "$dry"
}

@test "layers that the store has are shared, also those that depend on lower ones" {
	# The base lists no root, and the top no directory d.
	local base='{"files":{"d":{"type":"dir","uid":11},"d/a":"1"}}' top='{"files":{"d/x":"1"}}'
	image a "{\"layers\":[$base,$top]}"
	states_are "unpack unpack" "2 0" a
	states_are "shared shared" "0 2" a
	image b "{\"layers\":[$base,{\"files\":{\"new\":\"1\"}},$top]}"
	states_are "shared unpack unknown" "1 2" b
	image c "{\"layers\":[{\"files\":{\"d\":{\"type\":\"dir\",\"uid\":12}}},$top]}"
	states_are "unpack unknown" "2 0" c
	states_are "shared shared" "0 2" c
}

@test "what the run would replace is told, and sizes are as elsewhere" {
	image a '{"layers":[{"files":{"a":{"data":"x"}}},{"bulk":3}]}'
	unpack -n -N x a
	[[ $output != *"in place of"* ]] || tell "nothing is there yet"
	must_equal "$(awk '$1 == 1 { print $3 }' <<<"$output")" B
	unpack -N x a
	unpack -n -N x a
	output_has ", in place of the image of this name"
	unpack -n --json -N x a
	jq -se '.[0] | .event == "replace" and .name == "x"' <<<"$output"
	mkdir full
	touch full/file
	capture "$SHIFTBOX" image-unpack -n --flat full --replace a
	output_has "to be unpacked into full; what it holds now is deleted"
	[ -e full/file ]
	capture "$SHIFTBOX" image-unpack -n --json --flat full --replace a
	jq -se '.[0] | .event == "replace" and .target == "full"' <<<"$output"
	mkdir empty
	capture "$SHIFTBOX" image-unpack -n --flat empty a
	[[ $output != *deleted* ]] || tell "an empty directory holds nothing"
}

@test "ids without a place in the map or the store are found" {
	image a '{"layers":[{"files":{"f":{"data":"x","uid":42,"gid":42}}}]}'
	mkdir -m 700 closed
	fails_alike "belongs to the user id 42" --flat closed/t -m 0:100000:5 a
	fails_alike "belongs to the user id 42" -s based --base 1000000:10 -N x a
	rm -r based
}

@test "what is damaged, refused or too large is found" {
	image a '{"layers":[{"files":{"f":"x"}},{"files":{"g":"y"}}]}'
	find a/blobs -type f -size +100c | while read -r f; do
		gzip -t <"$f" 2>/dev/null || continue
		printf 'X' | dd of="$f" bs=1 seek=60 conv=notrunc 2>/dev/null
		break
	done
	fails_alike "layer" -s "$STORE" -N x a
	image b '{"layers":[{"files":{"../f":"x"}}]}'
	fails_alike ".." -s "$STORE" -N x b
	image c '{"layers":[{"files":{"f":"x","g":"y"}}]}'
	fails_alike "more than 1 entries" -s "$STORE" --max-entries 1 -N x c
}

@test "what a new layer cannot have on top of stored ones is found" {
	local base='{"files":{"d":{"type":"dir","uid":11},"d/a":"1","f":"x"}}' top
	image a "{\"layers\":[$base]}"
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" -N a a
	for top in '"l":{"type":"link","to":"d/none"}' '"f/x":"1"'; do
		image bad "{\"layers\":[$base,{\"files\":{$top}}]}"
		must_fail 1 "layer 2 of 2" "$SHIFTBOX" image-unpack -n -s "$STORE" -N x bad
		must_fail 1 "layer 2 of 2" "$SHIFTBOX" image-unpack -s "$STORE" -N x bad
		rm -r bad
	done
	# What it may have there, and a base whose blob is not needed any more.
	image b "{\"layers\":[$base,{\"files\":{\"l\":{\"type\":\"link\",\"to\":\"d/a\"}}}]}"
	unpack -n --json -N x b
	must_equal "$status" 0
	must_equal "$(jq -r 'select(.event == "plan") | .state' <<<"$output" | paste -sd' ')" \
		"shared unpack"
	rm "b/blobs/sha256/$(jq -r '.layers[0].digest[7:]' b/blobs/sha256/"$(jq -r \
		'.manifests[0].digest[7:]' b/index.json)")"
	unpack -n -v -N x b
	must_equal "$status" 0
	stderr_has "whether the new layers fit on those in the store is not checked"
	unpack -N x b
	must_equal "$status" 0
}

@test "a filesystem that is too small is found" {
	mkdir files
	seq 100000 >files/f
	tar -C files -cf a.tar f
	mkdir -m 700 small
	mount -t tmpfs -o mode=700,size=64K,nr_inodes=20 none small
	capture "$SHIFTBOX" image-unpack -n -s small -N x a.tar
	must_equal "$status" 1
	stderr_has "No space left"
	capture "$SHIFTBOX" image-unpack -n --flat small/t a.tar
	must_equal "$status" 1
	stderr_has "No space left"
	umount small
}

@test "an ordinary user's dry run finds what has no id there, and devices" {
	make_user alice 2001 300000 65536
	image a '{"layers":[{"files":{"f":{"data":"x","uid":70000}}}]}'
	image b '{"layers":[{"files":{"n":{"type":"char","dev":[1,3]}}}]}'
	image c '{"layers":[{"files":{"f":"x"}}]}'
	for x in "a is not among the ids" "b cannot create the device"; do
		must_fail 1 "${x#* }" \
			as_user alice "$SHIFTBOX" image-unpack -n -N x "$SCRATCH/${x%% *}"
	done
	must_work as_user alice "$SHIFTBOX" image-unpack -n -N x "$SCRATCH/c"
	output_has "a new store"
}

@test "what a layer cannot have on top of the others fails alike" {
	image loop '{"layers":[{"files":{"a":{"type":"symlink","to":"b"}}},
		{"files":{"b":{"type":"symlink","to":"a"},"b/x":"1"}}]}'
	fails_alike "its path leads through too many symbolic links" -q -s "$STORE" -N x loop
	fails_alike "its path leads through too many symbolic links" -q --flat f loop
	image link '{"layers":[{"files":{"a":"1"}},
		{"files":{"l":{"type":"link","to":"b"}}}]}'
	fails_alike "is a hard link to 'b'" -q -s "$STORE" -N x link
}

@test "a place where nothing can be created fails alike" {
	image a '{"layers":[{"files":{"f":"x"}}]}'
	mkdir -m 700 ro
	mount -t tmpfs -o mode=700 none ro
	must_work "$SHIFTBOX" image-unpack -s ro/there -N x a
	mount -o remount,ro ro
	fails_alike "Read-only file system" -s ro/there -N y a
	fails_alike "Read-only file system" -s ro/new -N x a
	fails_alike "Read-only file system" --flat ro/f a
	umount ro
	fails_alike "cannot make the store" -s /proc/new -N x a
	fails_alike "cannot make the store" -s /sys/new -N x a
	for x in proc sys; do
		must_fail 1 "in a filesystem of the kernel ($x" \
			"$SHIFTBOX" image-unpack -n --flat "/$x/f" a
	done
	make_user alice 2001 300000 65536
	mkdir -m 755 closed
	for x in "-N x -s" --flat; do
		# shellcheck disable=SC2086 # x is several words
		must_fail 1 "Permission denied" \
			as_user alice "$SHIFTBOX" image-unpack -n $x closed/new a
	done
}
