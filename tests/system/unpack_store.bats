#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the store holds, who may look, and what the image named is.

load lib
load images
need root
need prog python3

test_setup() {
	STORE=$SCRATCH/store
}

unpack() {
	must_work "$SHIFTBOX" image-unpack -s "$STORE" "$@"
}

@test "layers are stored by diff_id, and images that have one in common share it" {
	image a '{"layers":[{"bulk":5},{"files":{"a":"1"}}]}'
	image b '{"layers":[{"bulk":5,"compress":"none"},{"files":{"b":"2"}}]}'
	unpack a
	unpack b
	[[ $output == *"2 layers (1 unpacked, 1 shared)"* ]]
	must_equal "$(find "$STORE/layers" -mindepth 1 -maxdepth 1 -xtype d | wc -l)" 3
	must_equal "$(tail -n1 "$STORE/images/a/layers")" "$(tail -n1 "$STORE/images/b/layers")"
	cmp "$STORE/images/a/config.json" "a/blobs/sha256/$(python3 -c '
import json; i = json.load(open("a/index.json"))["manifests"][0]["digest"][7:]
print(json.load(open("a/blobs/sha256/" + i))["config"]["digest"][7:])')"
	for l in $(cat "$STORE/images/a/layers" "$STORE/images/b/layers"); do
		[ -d "$STORE/$l" ]
		[ -s "$STORE/$l.mtree" ]
		[ -s "$STORE/$l.json" ]
	done
	must_equal "$(cat "$STORE/$(head -n1 "$STORE/images/b/layers")/b")" 2
}

@test "a shared layer is not read again" {
	image a '{"layers":[{"bulk":5}]}'
	unpack a
	rm a/blobs/sha256/"$(python3 -c '
import json; i = json.load(open("a/index.json"))["manifests"][0]["digest"][7:]
print(json.load(open("a/blobs/sha256/" + i))["layers"][0]["digest"][7:])')"
	unpack -N again a
	capture "$SHIFTBOX" image-unpack -v -s "$STORE" -N again a
	[[ $stderr == *"is in the store already; its blob is not read again"* ]]
}

@test "a layer that depends on those below it is stored once for each answer" {
	# The top lists no directory d: its owner is the one that the layer below gives it.
	local top='{"files":{"d/x":"1"}}'
	image a '{"layers":[{"files":{"d":{"type":"dir","uid":11,"gid":12,"mode":"751"}}},
		'"$top"']}'
	image b '{"layers":[{"files":{"d":{"type":"dir","uid":21,"gid":22}}},'"$top"']}'
	image c '{"layers":[{"files":{"other":"z","d":{"type":"dir","uid":11,"gid":12,
		"mode":"751"}}},'"$top"']}'
	unpack a
	unpack b
	[[ $output == *"2 unpacked"* ]]
	unpack c
	[[ $output == *"(1 unpacked, 1 shared)"* ]]
	must_equal "$(owner "$STORE/$(head -n1 "$STORE/images/a/layers")/d")" 11:12
	must_equal "$(stat -c %a "$STORE/$(head -n1 "$STORE/images/a/layers")/d")" 751
	must_equal "$(owner "$STORE/$(head -n1 "$STORE/images/b/layers")/d")" 21:22
	must_equal "$(head -n1 "$STORE/images/a/layers")" "$(head -n1 "$STORE/images/c/layers")"
	[[ $(head -n1 "$STORE/images/b/layers") =~ ^layers/sha256-[0-9a-f]{64}\.[0-9a-f]{16}$ ]]
	[ -s "$STORE/$(head -n1 "$STORE/images/b/layers").lower" ]
	unpack -N b2 b
	[[ $output == *"0 unpacked, 2 shared"* ]]
}

@test "what a layer depends on is read from a regular file, or it is an error" {
	local lower how
	image a '{"layers":[{"files":{"d":{"type":"dir","uid":11}}},{"files":{"d/x":"1"}}]}'
	unpack a
	lower=$STORE/$(head -n1 "$STORE/images/a/layers").lower
	[ -s "$lower" ]
	for how in mkfifo 'ln -s /dev/null' 'mkdir'; do
		rm -rf "$lower"
		$how "$lower"
		must_fail 1 "${lower##*/}" "$SHIFTBOX" image-unpack -q -s "$STORE" -N b a
	done
}

@test "the same layer twice in an image is unpacked once and stacked once" {
	image a '{"layers":[{"files":{"./":{"type":"dir"},"f":"1"}},{"files":{"f":"2"}},
		{"files":{"./":{"type":"dir"},"f":"1"}}]}'
	unpack a
	[[ $output == *"2 layers (2 unpacked, 1 shared)"* ]]
	mkdir m
	mount -t overlay overlay m \
		-o "ro,lowerdir=$(sed "s|^|$STORE/|" "$STORE/images/a/layers" | paste -sd:)"
	must_equal "$(cat m/f)" 1
	umount m
}

@test "an opaque root ends the stack" {
	image a '{"layers":[{"files":{"below":"1"}},{"files":{".wh..wh..opq":"","only":"2"}},
		{"files":{"top":"3"}}]}'
	unpack a
	must_equal "$(wc -l <"$STORE/images/a/layers")" 2
	capture "$SHIFTBOX" image-unpack --json -s "$STORE" --show a
	json 'd[0]["layers"][1]["root_opaque"] is True and
		d[0]["layers"][0]["root_opaque"] is False'
	unpack -N again a
	must_equal "$(wc -l <"$STORE/images/again/layers")" 2
}

@test "an image of the same name is replaced" {
	image a '{"layers":[{"files":{"v":"1"}}]}'
	image b '{"layers":[{"files":{"v":"2"}}]}'
	unpack -N app a
	unpack -N app b
	must_equal "$(cat "$STORE/$(cat "$STORE/images/app/layers")/v")" 2
	must_equal "$(ls "$STORE/images")" app
}

@test "plain layers, base first, one of them from standard input" {
	"$TESTS/fixtures/mkimage.py" \
		--tar base.tar.gz <<<'{"layers":[{"files":{"a":"1","f":"old"}}]}'
	"$TESTS/fixtures/mkimage.py" --tar top.tar <<<'{"layers":[{"files":{"f":"new"},
		"compress":"none"}]}'
	cat top.tar | must_work "$SHIFTBOX" image-unpack -s "$STORE" -N app base.tar.gz -
	must_equal "$(cat "$STORE/$(head -n1 "$STORE/images/app/layers")/f")" new
	must_equal "$(cat "$STORE/$(tail -n1 "$STORE/images/app/layers")/f")" old
	must_equal "$(head -n1 "$STORE/images/app/layers")" \
		"layers/sha256-$(sha256sum <top.tar | cut -d' ' -f1)"
	unpack base.tar.gz
	must_equal "$(ls "$STORE/images" | paste -sd' ')" "app base"
	unpack -N file - <top.tar
	must_fail 2 "one layer only" "$SHIFTBOX" image-unpack -s "$STORE" -N x - - </dev/null
	must_fail 2 "need a --name" "$SHIFTBOX" image-unpack -s "$STORE" base.tar.gz top.tar
	# Its own documents are a valid image's.
	python3 - "$STORE/images/app" <<-'END'
		import hashlib, json, sys
		m, c = (open(sys.argv[1] + '/' + n + '.json', 'rb').read()
		    for n in ('manifest', 'config'))
		d = json.loads(m)
		assert d['config']['digest'] == 'sha256:' + hashlib.sha256(c).hexdigest()
		assert d['config']['size'] == len(c)
		assert len(d['layers']) == len(json.loads(c)['rootfs']['diff_ids']) == 2
	END
}

@test "a reference chooses by name or digest, and the choice is asked for where there is one" {
	image a '{"images":[{"ref":"v1","layers":[{"files":{"v":"1"}}]},
		{"ref":"v2","layers":[{"files":{"v":"2"}}]},
		{"ref":"deep","nested":3,"layers":[{"files":{"v":"3"}}]}]}'
	must_fail 1 "names more than one image" "$SHIFTBOX" image-unpack -s "$STORE" a
	[[ $stderr == *v1*v2*deep* ]]
	must_fail 1 "has no such reference" "$SHIFTBOX" image-unpack -s "$STORE" oci:a:v3
	[[ $stderr == *v1*v2* ]]
	unpack oci:a:v2
	must_equal "$(cat "$STORE/$(cat "$STORE/images/a:v2/layers")/v")" 2
	unpack oci:a:deep
	must_equal "$(cat "$STORE/$(cat "$STORE/images/a:deep/layers")/v")" 3
	unpack -N digest "oci:a:$(python3 -c 'import json
print(json.load(open("a/index.json"))["manifests"][0]["digest"])')"
	must_equal "$(cat "$STORE/$(cat "$STORE/images/digest/layers")/v")" 1
	mv a x:y
	unpack -N colon oci:x:y:v1
	mkdir x
	unpack -N colon oci:x:y:v2
	must_equal "$(cat "$STORE/$(cat "$STORE/images/colon/layers")/v")" 2
}

@test "a name that is only the end of a path is told, and how to choose another one" {
	image dir/sample '{"layers":[{"files":{"f":"x"}}],"ref":"12"}'
	local source note="sample is named after the path of its source; -N NAME chooses"
	output=$("$SHIFTBOX" image-unpack -s "$STORE" oci:dir/sample)
	output_has " layer" ... "$note"
	# Not again, and not of a name that the command line has.
	for source in oci:dir/sample "-N other oci:dir/sample" oci:dir/sample:12; do
		rm -rf "${STORE:?}"/images/other
		# shellcheck disable=SC2086
		output=$("$SHIFTBOX" image-unpack -s "$STORE" $source)
		[[ $output != *" named after"* ]] || tell "$source"
	done
	tar -cf dir/plain.tar -C dir/sample oci-layout
	output=$("$SHIFTBOX" image-unpack -s "$STORE" dir/plain.tar)
	output_has "plain is named after the path"
}

@test "of several platforms this machine's is taken, or the one that is asked for" {
	local here=linux/amd64
	case $(uname -m) in
	aarch64) here=linux/arm64/v8 ;;
	ppc64le | s390x | riscv64) here=linux/$(uname -m) ;;
	esac
	image a '{"images":[{"platform":"linux/mips64le","layers":[{"files":{"p":"mips"}}]},
		{"platform":"'$here'","layers":[{"files":{"p":"here"}}]},
		{"platform":"linux/arm/v6","layers":[{"files":{"p":"v6"}}]},
		{"platform":"linux/arm/v7","layers":[{"files":{"p":"v7"}}]}]}'
	unpack a
	must_equal "$(cat "$STORE/$(cat "$STORE/images/a/layers")/p")" here
	unpack --platform linux/arm/v7 -N arm a
	must_equal "$(cat "$STORE/$(cat "$STORE/images/arm/layers")/p")" v7
	must_fail 1 "has no image for linux/vax" \
		"$SHIFTBOX" image-unpack -s "$STORE" --platform linux/vax a
	[[ $stderr == *linux/mips64le*linux/arm/v6* ]]
	must_fail 2 "'linux' is not a platform: OS/ARCH" \
		"$SHIFTBOX" image-unpack -s "$STORE" --platform linux a
	image b '{"config":{"architecture":"vax"},"layers":[{"files":{"p":"vax"}}]}'
	capture "$SHIFTBOX" image-unpack -s "$STORE" b
	must_equal "$status" 0
	[[ $stderr == *"warning: the image is for linux/vax"* ]]
	must_fail 1 "is an image for linux/vax" \
		"$SHIFTBOX" image-unpack -s "$STORE" --platform "$here" b
}

@test "--list, --show, --remove and --prune" {
	image a '{"layers":[{"bulk":5},{"files":{"a":"1"}}]}'
	image b '{"layers":[{"bulk":5},{"files":{"b":"2"}}]}'
	unpack a
	unpack b
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --list
	[[ $output == *NAME*$'\n'a\ *2\ *2026-01-01T00:00:00Z*$'\n'b\ * ]]
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --show a
	[[ $output == *sha256-* ]]
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --prune
	must_equal "$output" "$NONE_TO_REMOVE"
	must_fail 1 "there is no such image" "$SHIFTBOX" image-unpack -s "$STORE" --remove c
	[[ $stderr == *"it holds a, b"*"try:  name an image that is there"* ]]
	must_work "$SHIFTBOX" image-unpack -n -s "$STORE" --remove a
	[ -e "$STORE/images/a" ]
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --remove a
	must_equal "$(ls "$STORE/images")" b
	must_equal "$(find "$STORE/layers" -mindepth 1 -maxdepth 1 -xtype d | wc -l)" 3
	must_work "$SHIFTBOX" image-unpack -n -s "$STORE" --prune
	[[ $output == "would remove sha256-"* ]]
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --prune
	[[ $output == "removed sha256-"* ]]
	[ "$(wc -l <<<"$output")" = 1 ]
	must_equal "$(find "$STORE/layers" -mindepth 1 -maxdepth 1 -xtype d | wc -l)" 2
	must_equal "$(ls "$STORE/layers" | sed 's/\..*//' | sort -u | wc -l)" 2
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --show b
}

@test "the keys of the JSON output" {
	image a '{"layers":[{"bulk":5},{"files":{"a":"1"}}]}'
	must_work "$SHIFTBOX" image-unpack -n --json -s "$STORE" a
	json 'len(d) == 2 and all(set(x) == {"event", "layer", "layers", "name", "size",
		"state"} and x["event"] == "plan" and x["state"] == "unpack" for x in d)'
	[ ! -e "$STORE" ]
	must_work "$SHIFTBOX" image-unpack --json -s "$STORE" a
	json 'all(set(x) == {"event", "layer", "layers", "name", "state", "size", "entries",
		"bytes"} for x in d[:-1])'
	json '[x["state"] for x in d[:-1]].count("done") == 2 and
		[x["state"] for x in d[:-1]].count("running") == 2'
	json 'set(d[-1]) == {"event", "name", "layers", "unpacked", "shared", "entries", "bytes",
		"blob_bytes", "devices_left_out", "unmapped"} and d[-1]["event"] == "image" and
		d[-1]["unpacked"] == 2'
	must_work "$SHIFTBOX" image-unpack --json -s "$STORE" a
	json '[x["state"] for x in d[:-1]] == ["shared", "shared"]'
	must_work "$SHIFTBOX" image-unpack --json -s "$STORE" --list
	json 'len(d) == 1 and set(d[0]) == {"name", "layers", "created", "manifest", "podman",
		"podman_name", "podman_why"}'
	must_work "$SHIFTBOX" image-unpack --json -s "$STORE" --show a
	json 'set(d[0]) == {"name", "store", "manifest", "config", "created", "os",
		"architecture", "layers"}'
	json 'all(set(x) ==
		{"directory", "entries", "bytes", "root_opaque"} for x in d[0]["layers"])'
	must_work "$SHIFTBOX" image-unpack -n --json -s "$STORE" --remove a
	json 'd == [{"event": "remove", "name": "a", "removed": False}]'
	must_work "$SHIFTBOX" image-unpack --json -s "$STORE" --remove a
	json 'd == [{"event": "remove", "name": "a", "removed": True}]'
	must_work "$SHIFTBOX" image-unpack -n --json -s "$STORE" --prune
	json 'len(d) == 3 and all(set(x) == {"event", "directory", "entries", "bytes",
		"removed"} and x["removed"] is False for x in d[:-1])'
	json 'set(d[-1]) == {"event", "layers", "bytes", "removed"} and d[-1]["layers"] == 2 and
		d[-1]["event"] == "pruned" and d[-1]["removed"] is False'
	must_work "$SHIFTBOX" image-unpack --json -s "$STORE" --prune
	json 'len(d) == 3 and all(x["removed"] is True for x in d)'
}

@test "a store that others can pass, or that is not ours, is refused; what is no store too" {
	image a '{"layers":[{"files":{"a":"1"}}]}'
	unpack a
	for mode in 0701 0710 0755 0777; do
		chmod "$mode" "$STORE"
		must_fail 1 "is open to others (mode $mode)" "$SHIFTBOX" image-unpack -s "$STORE" a
		[[ $stderr == *"chmod 0700"* ]]
		must_fail 1 "is open to others" "$SHIFTBOX" image-unpack -s "$STORE" --list
	done
	chmod 0700 "$STORE"
	mkdir empty full
	touch full/file
	chmod 755 empty
	STORE=$SCRATCH/empty unpack a
	must_equal "$(stat -c %a empty)" 700
	must_fail 1 "neither a store nor empty" "$SHIFTBOX" image-unpack -s full a
	must_equal "$(ls full)" file
	must_fail 1 "there is no store here" "$SHIFTBOX" image-unpack -s nowhere --list
	[ ! -e nowhere ]
	make_user alice 1234 200000 65536
	install -d -m 755 -o alice hers
	must_fail 1 "belongs to another user" "$SHIFTBOX" image-unpack -s hers a
	must_equal "$(stat -c %a hers)" 755 # refused as it was, not closed first
	# One that others can rename is warned of.
	must_fail 0 '' "$SHIFTBOX" image-unpack -q -s hers/st a
	stderr_has "user 1234, who owns '$SCRATCH/hers', can rename the store"
	mkdir -m 777 open
	must_fail 0 '' "$SHIFTBOX" image-unpack -q -s open/st a
	stderr_has "users who may write to '$SCRATCH/open' (mode 0777) can rename the store"
	chmod 1777 open
	must_work "$SHIFTBOX" image-unpack -q -s open/st a
	# What is made above it is told.
	must_fail 0 "'up/per/st': the directories above the store do not exist, and would be" \
		"$SHIFTBOX" image-unpack -n -s up/per/st a
	must_fail 0 "'up/per/st': the directories above the store did not exist, and were created" \
		"$SHIFTBOX" image-unpack -s up/per/st a
}

@test "in a user namespace of one's own an opaque directory gets whiteouts" {
	image a '{"layers":[{"files":{"gone":"1","d":{"type":"dir"},"d/x":"2"}},
		{"files":{".wh.gone":"","d":{"type":"dir"},"d/.wh..wh..opq":"","d/y":"3"}}]}'
	in_userns "$SHIFTBOX" image-unpack -q -s "$STORE" a
	local top
	top=$STORE/$(head -n1 "$STORE/images/a/layers")
	must_equal "$(cat "$top/d/y")" 3
	must_equal "$(getfattr -Rhd -m overlay "$STORE")" ""
	must_equal "$(stat -c '%F %t:%T' "$top/d/x")" "character special file 0:0"
	in_userns sh -c 'mkdir m && mount -t overlay overlay m -o "ro,userxattr,lowerdir=$1" &&
		ls m m/d' sh \
		"$(sed "s|^|$STORE/|" "$STORE/images/a/layers" | paste -sd:)" >seen
	must_equal "$(paste -sd' ' seen)" "m: d  m/d: y"
}

@test "names are one safe component, or a reference with a host" {
	image a '{"layers":[{"files":{"a":"1"}}]}'
	for name in . .. a/b /a ../x .hidden a.b/../c localhost/ a.b//c -x 'a b' $'a\nb' 'a,b' \
		"$(printf 'n%.0s' {1..201})"; do
		must_fail 1 "is not a valid name of an image" \
			"$SHIFTBOX" image-unpack -s "$STORE" --name="$name" a
	done
	must_equal "$(ls -A "$STORE" 2>/dev/null)" ""
	unpack -N a:1.2+x@y=~%-z_ a
	must_fail 1 "is not a valid name of an image" \
		"$SHIFTBOX" image-unpack -s "$STORE" --show ../images/a
	must_fail 1 "is not a valid name of an image" \
		"$SHIFTBOX" image-unpack -s "$STORE" --remove ..
}

@test "a name that looks like a source is refused, and used and removed where it is stored" {
	image a '{"layers":[{"files":{"a":"1"}}]}'
	unpack -N x a
	must_fail 1 "is not a valid name of a new image" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N image:x a
	cp -r "$STORE/images/x" "$STORE/images/image:x" # by an older version
	cp -r "$STORE/images/x" "$STORE/images/oci:x"
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --list
	output_has "image:x " ... "oci:x "
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --show image:x
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --verify oci:x
	must_work "$SHIFTBOX" mount-idmapped -q -n -m none -o public -s "$STORE" image:image:x /mnt
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --remove image:x
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --remove oci:x
	must_equal "$(ls "$STORE/images")" x
}

@test "an image has the name that people write, with slashes" {
	image a '{"layers":[{"files":{"a":"1"}}]}'
	unpack -N docker.io/library/debian:12 a
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --list
	output_has "docker.io/library/debian:12 "
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --show docker.io/library/debian:12
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --verify docker.io/library/debian:12
	mkdir m
	must_work "$SHIFTBOX" mount-idmapped -s "$STORE" -m +100000 \
		image:docker.io/library/debian:12 m
	must_fail 1 "the image is mounted" \
		"$SHIFTBOX" image-unpack -s "$STORE" --remove docker.io/library/debian:12
	must_work "$SHIFTBOX" mount-idmapped -u m
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --remove docker.io/library/debian:12
	must_equal "$(ls -A "$STORE/images")" ""
	must_fail 1 "a name with slashes has the form HOST/PATH" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N debian/12 a
	# A name of an older version stays what it was.
	unpack -N a%2Fb a
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --show a%2Fb
}

@test "a device of an image is opened only where that was asked for" {
	local o
	# A device that its owner alone may open, and the map's root is its owner.
	image a '{"layers":[{"files":{"dev":{"type":"dir"},
		"dev/zero":{"type":"char","mode":"600","dev":[1,5]}}}]}'
	unpack a
	mkdir at
	chmod 711 .
	for o in ro ephemeral; do
		must_work "$SHIFTBOX" mount-idmapped -s "$STORE" -m +100000 \
			-o "$o,public" image:a at
		must_equal "$(owner at/dev/zero)" 100000:100000
		must_fail 1 "Permission denied" \
			setpriv --reuid 100000 --regid 100000 --clear-groups head -c 1 at/dev/zero
		must_work "$SHIFTBOX" mount-idmapped -u at
		must_work "$SHIFTBOX" mount-idmapped -s "$STORE" -m +100000 \
			-o "$o,dev,public" image:a at
		must_work setpriv --reuid 100000 --regid 100000 --clear-groups head -c 1 at/dev/zero
		must_work "$SHIFTBOX" mount-idmapped -u at
	done
}

@test "no option is ignored: one without a meaning here is refused before anything is done" {
	local option modes mode n=0
	image a '{"layers":[{"files":{"f":"1"}}]}'
	while IFS='|' read -r option modes; do
		for mode in $modes; do
			n=$((n + 1))
			# shellcheck disable=SC2086 # an option and its value, a mode and operands
			must_fail 2 "${option%%[ =]*}" "$SHIFTBOX" image-unpack $option ${mode//,/ }
		done
	done <<-'END'
		--store=st|--flat,f,a --scan,a
		--name=n|--flat,f,a --scan,a --list --show,a --verify,a --remove,a --prune
		--name=n|--bundle,b,-m+5,a
		--base=5|--flat,f,a --scan,a --list --prune --bundle,b,-m+5,a
		--map=+5|--scan,a --list a
		--replace|a --scan,a --list
		--terminal|a --flat,f,a --scan,a --list
		--platform=linux/s390x|--list --show,a --remove,a --bundle,b,-m+5,a
		--max-bytes=1|--list --verify,a
		--max-entries=1|--list --prune
		--jobs=1|--scan,a --list
		--no-sync|--scan,a --remove,a
		--keep-security|--scan,a --prune
		--caps=rebase|--scan,a --show,a
		--devices=skip|--scan,a --list
		--unmapped=skip|--scan,a --verify,a --bundle,b,-m+5,a
	END
	must_equal $n 46
	[ ! -e f ]
	[ ! -e b ]
}
