#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A layer's directory is where podman reads it, and layers/NAME is a link to it: whatever is done
# with the store, both names lead to the whole layer.

# shellcheck disable=SC2034

load lib
load images
need root
need prog python3 strace

A='{"files":{"d":{"type":"dir"},"d/a":"1","two":"2","names":{"type":"link","to":"two"}}}'
B='{"files":{"b":"1"}}'
X='{"files":{"x":{"data":"x","uid":7},"e":{"type":"dir"},"e/x":"y"}}'

test_setup() {
	STORE=$SCRATCH/store
	mkdir m
	image a '{"layers":['"$A,$X"']}'
	image b '{"layers":['"$B,$X"']}'
}

unpack() {
	must_work "$SHIFTBOX" image-unpack -s "$STORE" "$@"
}

remove() {
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --remove "$1"
}

prune() {
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --prune
}

# What podman finds, in one line; and its layers are those of the store.
podman_has() { # TEXT
	"$TESTS/fixtures/check_podman.py" "$STORE" | sort | paste -sd';' >has
	must_equal "$(cat has)" "$1"
}

whole() { # IMAGE...
	local i
	for i in "$@"; do must_work "$SHIFTBOX" image-unpack -s "$STORE" --verify "$i"; done
}

# How many layers layers/ has.
layer_dirs() {
	find "$STORE/layers" -maxdepth 1 -name 'sha256-*' ! -name '*.*' | wc -l
}

# The path of the layer that is the Nth from below.
layer() { # IMAGE N
	echo "$STORE/$(tac "$STORE/images/$1/layers" | sed -n "$2p")"
}

# podman's id of the layer that has the directory.
id() { # LAYER
	readlink "$1" | cut -d/ -f4
}

@test "each file has the links that its image gives it, and no more" {
	local l
	unpack a
	must_equal "$(find "$STORE/podman/overlay" -type f -path '*/diff/*' -printf '%P %n\n' |
		sed 's|^[^/]*/diff/||' | sort | paste -sd' ')" \
		"d/a 1 e/x 1 names 2 two 2 x 1"
	for l in $(cat "$STORE/images/a/layers"); do
		[ -L "$STORE/$l" ]
		[[ $(readlink "$STORE/$l") =~ ^\.\./podman/overlay/[0-9a-f]{64}/diff$ ]]
		[ -d "$(readlink -e "$STORE/$l")" ]
	done
	podman_has "localhost/a:latest 2"
	must_work "$SHIFTBOX" mount-idmapped -s "$STORE" -m +100000 -o ro image:a m
	must_equal "$(find m -type f -printf '%P %n %U\n' | sort | paste -sd' ')" \
		"d/a 1 100000 e/x 1 100000 names 2 100000 two 2 100000 x 1 100007"
	must_work "$SHIFTBOX" mount-idmapped -u m
}

@test "a layer on two others has one directory, and a tree of links" {
	local x
	unpack a
	unpack b
	x=$(layer a 2)
	must_equal "$(layer b 2)" "$x"
	must_equal "$(stat -c %h "$x/x")" 2
	podman_has "localhost/a:latest 2;localhost/b:latest 2"
	# The tree goes, and the directory stays.
	remove b
	prune
	must_equal "$(stat -c %h "$x/x")" 1
	[ -L "$x" ]
	podman_has "localhost/a:latest 2"
	# The directory's id goes: it moves back, and the tree stays.
	unpack b
	remove a
	prune
	[ ! -L "$x" ]
	[ -d "$x" ]
	must_equal "$(stat -c '%u %h' "$x/x")" "7 2"
	whole b
	podman_has "localhost/b:latest 2"
	# The next id can have it.
	unpack a
	[ -L "$x" ]
	podman_has "localhost/a:latest 2;localhost/b:latest 2"
	remove a
	remove b
	prune
	must_equal "$(ls "$STORE/layers" "$STORE/podman-layers")" \
		"$STORE/layers:"$'\n\n'"$STORE/podman-layers:"
	must_equal "$(ls "$STORE/podman/overlay")" l
}

@test "a layer that an image lists twice has one directory, and a tree of links" {
	image twice '{"layers":['"$A,$X,$B,$X"']}'
	unpack twice
	podman_has "localhost/twice:latest 4"
	must_equal "$(stat -c %h "$(layer twice 3)/x")" 2
	whole twice
}

@test "a tree of links that cannot be finished is not given to podman" {
	local x
	need prog chattr
	unpack a
	x=$(layer a 2)
	# The kernel refuses links to such a file. Its layer is the topmost one of b.
	chattr +i "$x/x" 2>/dev/null || skip "no immutable files here"
	capture "$SHIFTBOX" image-unpack -s "$STORE" b
	chattr -i "$x/x"
	must_equal "$status" 0
	stderr_has "podman cannot use the image 'b': x: cannot link the file"
	podman_has "localhost/a:latest 2"
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade
	podman_has "localhost/a:latest 2;localhost/b:latest 2"
}

@test "a directory moves while it is mounted, and back" {
	local way
	for way in fds names; do
		export SHIFTBOX_OVERLAY_WAY=$way
		unpack -q a
		"$TESTS/fixtures/old_layout.py" "$STORE"
		echo "image:a $SCRATCH/m shiftbox store=$STORE,map=+100000,ro 0 0" >fstab
		must_work "$SHIFTBOX" mount-idmapped -a -T fstab
		must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade
		[ -L "$(layer a 1)" ]
		must_equal "$(cat m/d/a m/x) $(owner m/x)" "1x 100007:100000"
		must_work "$SHIFTBOX" mount-idmapped -a -T fstab
		must_fail 1 "the image is mounted" \
			"$SHIFTBOX" image-unpack -s "$STORE" --remove a
		unpack -q -N a b
		prune
		must_equal "$(cat m/d/a m/x m/names)" 1x2
		[ -d "$(readlink -e "$(layer a 2)")" ]
		# The image has other layers now.
		must_fail 1 "is mounted already" "$SHIFTBOX" mount-idmapped -a -T fstab
		must_work "$SHIFTBOX" mount-idmapped -u m
		prune
		remove a
		prune
		must_equal "$(ls "$STORE/layers")" ""
	done
}

@test "what is mounted by podman's names stays, and is used by the next unpack" {
	local x id link way path
	mkdir empty n
	unpack a
	x=$(layer a 2) id=$(id "$(layer a 2)")
	link=$(cat "$STORE/podman/overlay/$id/link")
	for way in "overlay/l/$link" "overlay/$id/diff" bind; do
		path=$STORE/podman/$way
		if [ $way = bind ]; then
			mount --bind "$x/e" n
		else
			mount -t overlay overlay -o "ro,lowerdir=$path:empty" n
		fi
		remove a
		must_work "$SHIFTBOX" image-unpack -s "$STORE" --prune -n
		must_equal "$(grep -c "would remove $(basename "$x")" <<<"$output" || true)" 0
		prune
		must_equal "$(cat "$x/x" "$x/e/x")" xy
		podman_has ""
		must_work "$SHIFTBOX" image-unpack -s "$STORE" a
		[ "$(id "$x")" = "$id" ]
		podman_has "localhost/a:latest 2"
		umount n
	done
	remove a
	prune
	must_equal "$(ls "$STORE/layers")" ""
}

@test "a link of another form is no layer" {
	local x id text
	unpack a
	x=$(layer a 2) id=$(id "$(layer a 2)")
	for text in "../podman/overlay/$id" "../podman/overlay/$id/diff/" \
		"$STORE/podman/overlay/$id/diff" "../podman/overlay/$id/diff/d" \
		"../podman/overlay/../overlay/$id/diff" "../podman/overlay/${id^^}/diff" /etc \
		"../podman/overlay/$id/diff$(printf '/.%.0s' {1..60})"; do
		ln -sfn "$text" "$x"
		must_fail 1 "Too many levels of symbolic links" \
			"$SHIFTBOX" mount-idmapped -s "$STORE" -m +100000 image:a m
		must_fail 1 "Too many levels of symbolic links" \
			"$SHIFTBOX" image-unpack -s "$STORE" --verify a
		must_equal "$(readlink "$x")" "$text"
	done
}

@test "a layer that is gone from podman/ is unpacked again" {
	unpack a
	rm -r "$STORE/podman/overlay/$(id "$(layer a 2)")"
	must_fail 1 "cannot be found in the store" \
		"$SHIFTBOX" mount-idmapped -s "$STORE" -m +100000 image:a m
	stderr_has "try:  unpack the image again"
	unpack a
	output_has "1 unpacked, 1 shared"
	whole a
	podman_has "localhost/a:latest 2"
	[ -L "$(layer a 2)" ]
}

@test "the path of a layer can be mounted, as a source and in lower=" {
	local lower
	mkdir n
	unpack a
	must_work "$SHIFTBOX" mount-idmapped -m +100000 -o ro "$(layer a 2)" m
	must_equal "$(owner m/x)" 100007:100000
	must_work "$SHIFTBOX" shift-check verify --source "$(layer a 2)" -m +100000 m
	must_work "$SHIFTBOX" mount-idmapped -u m
	lower=$(sed "s|^|$STORE/|" "$STORE/images/a/layers" | paste -sd:)
	must_work "$SHIFTBOX" mount-idmapped -m +100000 -o "ro,lower=${lower/:/,lower=}" overlay m
	must_equal "$(owner m/x) $(cat m/d/a)" "100007:100000 1"
	must_work "$SHIFTBOX" mount-idmapped -u m
	mount -t overlay overlay -o "ro,lowerdir=$lower" m
	must_equal "$(owner m/x) $(cat m/d/a)" "7:0 1"
	umount m
	# The whole store, elsewhere.
	must_work "$SHIFTBOX" mount-idmapped -m none -o ro "$STORE" n
	must_equal "$(cat "n/$(head -n1 "$STORE/images/a/layers")/x")" x
	must_work "$SHIFTBOX" mount-idmapped -u n
	must_work "$SHIFTBOX" shift-check explain "$(layer a 2)/x"
	output_has "x: regular file"
}

# killed CALL N CMD...: CMD is killed before its Nth CALL. Fails if it makes fewer.
killed() {
	local call=$1 n=$2
	shift 2
	! strace -f -qq -o /dev/null -e trace=$call -e "inject=$call:signal=KILL:when=$n" \
		"$@" >out 2>&1
}

quickly() {
	"$SHIFTBOX" image-unpack -q -s "$STORE" "$@"
}

@test "a kill between any two steps of an unpack leaves layers whole" {
	local n total=0
	LEAVES_STAGING=1
	unpack b
	cp -a "$STORE" before
	for call in renameat renameat2 symlinkat linkat; do
		n=0
		while n=$((n + 1)) && killed $call $n "$SHIFTBOX" image-unpack --no-sync \
			-s "$STORE" a; do
			"$TESTS/fixtures/check_podman.py" "$STORE" --quick >has
			grep -qx "localhost/b:latest 2" has
			whole b
			case $((n % 3)) in
			0) quickly --prune ;;
			1) quickly b ;;
			esac
			quickly a
			whole a b
			podman_has "localhost/a:latest 2;localhost/b:latest 2"
			[ -L "$(layer a 1)" ]
			[ -L "$(layer a 2)" ]
			rm -rf "$STORE"
			cp -a before "$STORE"
		done
		[ $n -gt 1 ] || say "there is no $call"
		total=$((total + n))
	done 2>/dev/null
	[ $total -gt 25 ]
}

@test "a kill between any two steps of --prune leaves layers whole" {
	local n x total=0
	LEAVES_STAGING=1
	unpack a
	unpack b
	x=$(layer b 2)
	remove a
	cp -a "$STORE" before
	for call in renameat renameat2 unlinkat; do
		n=0
		while n=$((n + 1)) && killed $call $n "$SHIFTBOX" image-unpack -s "$STORE" \
			--prune; do
			"$TESTS/fixtures/check_podman.py" "$STORE" --quick >has
			grep -qx "localhost/b:latest 2" has
			whole b
			case $((n % 3)) in
			0) quickly b ;;
			1)
				quickly a
				quickly --remove a
				;;
			esac
			quickly --prune
			whole b
			podman_has "localhost/b:latest 2"
			[ ! -L "$x" ]
			must_equal "$(layer_dirs)" 2
			rm -rf "$STORE"
			cp -a before "$STORE"
		done
		[ $n -gt 1 ] || say "there is no $call"
		total=$((total + n))
	done 2>/dev/null
	[ $total -gt 20 ]
}

# each_fails CHECK ACTION...: in a copy of the store "before", every call that moves something fails
# in ACTION, one after the other. b stays whole. CHECK looks at what the others left.
each_fails() {
	local check=$1 call n was said
	shift
	for call in renameat renameat2 symlinkat linkat fsync; do
		for n in {1..15}; do
			rm -rf "$STORE"
			cp -a before "$STORE"
			capture inject "$call:EIO:$n" \
				"$SHIFTBOX" image-unpack -q -s "$STORE" "$@"
			[ "$status" != 99 ] || break # so many calls were not made
			[ "$status" = 0 ] || stderr_has "Input/output error"
			was=$status said=$stderr
			"$TESTS/fixtures/check_podman.py" "$STORE" --quick >has
			grep -qx "localhost/b:latest 2" has
			whole b
			status=$was stderr=$said
			$check
		done
	done
}

@test "a call that fails leaves layers whole, and the error says what is done" {
	local published=0 removed=0
	unpack b
	cp -a "$STORE" before
	unpacked() {
		if [ "$status" = 1 ] && [ -e "$STORE/images/a" ] &&
			[[ $stderr != *"/store': cannot write the file to disk"* ]]; then
			stderr_has "the image 'a' is in the store, but podman may not find it" ... \
				"image-unpack -s '$STORE' --upgrade 'a'"
			published=$((published + 1))
			must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade a
		fi
		quickly a
		whole a b
		podman_has "localhost/a:latest 2;localhost/b:latest 2"
	}
	each_fails unpacked a
	[ $published -gt 5 ]
	rm -r before
	mv "$STORE" before
	pruned() {
		quickly --prune
		whole b
		podman_has "localhost/b:latest 2"
		must_equal "$(layer_dirs)" 2
	}
	gone() {
		if [ -e "$STORE/images/a" ]; then
			must_equal "$status" 1
			quickly --remove a
		elif [ "$status" = 1 ] &&
			[[ $stderr != *"/store': cannot write the file to disk"* ]]; then
			stderr_has "the image 'a' is removed, but podman may still find it" ... \
				"image-unpack -s '$STORE' --prune"
			removed=$((removed + 1))
		fi
		pruned
	}
	each_fails gone --remove a
	[ $removed -gt 3 ]
	quickly a
	quickly --remove a
	rm -r before
	mv "$STORE" before
	each_fails pruned --prune
}

@test "a filesystem that cannot exchange names gets links to the files" {
	local n trees=0
	for n in {1..20}; do
		rm -rf "$STORE"
		capture inject "renameat2:EINVAL:$n" "$SHIFTBOX" image-unpack -v -s "$STORE" a
		[ "$status" != 99 ] || break
		[[ $stderr != *"podman gets links to its files"* ]] || {
			must_equal "$status" 0
			podman_has "localhost/a:latest 2"
			trees=$((trees + 1))
		}
	done
	[ $trees -ge 2 ] # one for each layer
}

@test "an error while the store is read takes nothing away from podman" {
	local call n action
	unpack a
	unpack b
	for action in b --prune; do
		for call in openat openat2 newfstatat readlinkat faccessat2 getdents64; do
			for ((n = 1; n < 400; n += 5)); do
				capture inject "$call:EIO:$n" \
					"$SHIFTBOX" image-unpack -q -s "$STORE" $action
				[ "$status" != 99 ] || break # so many calls were not made
				podman_has "localhost/a:latest 2;localhost/b:latest 2" ||
					tell "$call $n: podman lost something"
				[ -L "$(layer a 1)" ] && [ -L "$(layer a 2)" ] &&
					[ -L "$(layer b 1)" ] ||
					tell "$call $n: a layer lost its directory"
			done
			[ "$n" -gt 1 ] || say "there is no $call"
		done
		whole a b
	done
}

@test "several at once take the directory of one layer once" {
	local i
	image c '{"layers":['"$A,$B,$X"']}'
	for i in {1..8}; do
		for n in a b c; do
			"$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" $n 2>err.$n &
		done
		wait
		must_equal "$(cat err.*)" ""
		podman_has "localhost/a:latest 2;localhost/b:latest 2;localhost/c:latest 3"
		must_equal "$(stat -c %h "$(layer a 2)/x")" 3
		whole a b c
		for n in a b c; do remove $n; done
		prune
		must_equal "$(ls "$STORE/layers")" ""
	done
}
