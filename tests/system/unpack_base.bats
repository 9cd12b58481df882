#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --base: a store whose disk ids belong to nobody, and everything that looks into it.

load lib
load images
need root
need prog python3 getcap getfacl

MAPPED='{"layers":[
	{"files":{"./":{"type":"dir","uid":7,"gid":8,"mode":"755"},
	"d":{"type":"dir","uid":1,"gid":2,"mode":"2775",
	"xattrs":{"system.posix_acl_default":"'$ACL_DEFAULT'"}},
		'"$ID_FILES"',
		"gone":"1","imp":{"type":"dir","uid":12,"gid":13},
		"imp/f":{"data":"1","uid":99,"gid":98}}},
	{"files":{"d/new":{"data":"1","uid":40,"gid":41},
	".wh.gone":"","d/link":{"type":"link","to":"d/suid"},"imp/g":{"data":"1","uid":65,"gid":66},
	"caplink":{"type":"link","to":"cap3"}}}]}'

test_setup() {
	STORE=$SCRATCH/based
	"$TESTS/fixtures/mkimage.py" img <<<"$MAPPED"
}

unpack() {
	must_work "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" "$@"
}

plain() { # of the same image, in a store without a base
	must_work "$SHIFTBOX" image-unpack -q --no-sync -s plain "$@"
}

mount_image() { # STORE DIR MOUNT-OPTIONS...
	local store=$1 dir=$2
	shift 2
	mkdir -p "$dir"
	must_work "$SHIFTBOX" mount-idmapped -s "$store" "$@" image:img "$dir"
}

# setpriv(1) has its capabilities until it executes something, which must not be the file in
# question
stranger() {
	setpriv --reuid 4711 --regid 4711 --clear-groups sh -c '"$@"' sh "$@"
}

top() {
	echo "$STORE/$(head -n1 "$STORE/images/img/layers")"
}

bottom() {
	echo "$STORE/$(tail -n1 "$STORE/images/img/layers")"
}

@test "disk ids are shifted, those in ACLs and capabilities too, and chown is not called" {
	need prog strace
	strace -f -qq -o trace -e trace=chown,fchown,lchown,fchownat,setfsuid \
		"$SHIFTBOX" image-unpack -q --base 1000000 -s "$STORE" img
	grep -q setfsuid trace
	run -1 grep chown trace
	must_equal "$(cat "$STORE/base")" 1000000:65536
	must_equal "$(cd "$(bottom)" && owner .) $(cd "$(bottom)" && owner d/suid) $(cd "$(top)" &&
		owner imp) $(cd "$(top)" && owner d/link)" \
		"1000007:1000008 1000003:1000004 1000012:1000013 1000003:1000004"
	must_equal "$(cd "$(bottom)" && getcap -n cap2 cap3 | paste -sd' ')" \
		"cap2 cap_net_raw=ep [rootid=1000000] cap3 cap_net_raw=ep [rootid=1000005]"
	must_equal "$(cd "$(top)" && getcap -n caplink)" "caplink cap_net_raw=ep [rootid=1000005]"
	must_equal "$(getfacl -ncp "$(bottom)/acl" | grep -E '^(user|group):[0-9]' |
		paste -sd' ')" "user:1000033:r-- group:1000034:r--"
	must_equal "$(stat -c '%F %t:%T %u' "$(top)/gone")" "character special file 0:0 1000000"
	# Nothing below the layers is anybody else's; what lies beside them is root's.
	must_equal "$(find "$STORE"/layers/sha256-*/ ! \( -uid +999999 -a -gid +999999 \))" ""
	must_equal "$(find "$STORE" -path "$STORE/layers/*/*" -prune -o -uid +0 -print)" \
		"$(find "$STORE"/layers -mindepth 1 -maxdepth 1 -type d)"
	must_equal "$(ls -A "$STORE/tmp")" ""
}

@test "a mounted image looks as from a store without a base, through any map and without one" {
	local map
	unpack --base 1000000 img
	plain img
	for map in +300000 'u:0:100000:1000;g:0:200000:1000' \
		'u:0:5:1;u:1:70000:99;g:0:4000000000:3;g:3:3:97'; do
		mount_image "$STORE" at -m "$map" -o ro
		mount_image plain like -m "$map" -o ro
		diff <(dump like) <(dump at)
		must_work "$SHIFTBOX" shift-check verify -s "$STORE" -m "$map" --image img at
		umount at like
	done
	mount_image "$STORE" at -o ro
	mount_image plain like -m none -o ro
	diff <(dump like | sed 's/security.capability=[^,]*//') <(dump at |
		sed 's/security.capability=[^,]*//')
	umount at
	must_fail 1 "the store has a base" \
		"$SHIFTBOX" mount-idmapped -s "$STORE" -m 70000:0:5 image:img at
	mount_image "$STORE" at -m none -o ro
	must_equal "$(owner at/d/suid)" 1000003:1000004
	umount at like
}

@test "random layers look like layers applied in order" {
	local seed
	python3 "$TESTS/fixtures/layer_model.py" make r 501 525 0 0 1 33 1000 65535
	for seed in {501..525}; do
		mkdir "r/$seed/merged"
		STORE=r/$seed/store unpack --base 2000000000 -N img "r/$seed"/*.tar
		mount_image "r/$seed/store" "r/$seed/merged" -o ro
	done
	python3 "$TESTS/fixtures/layer_model.py" compare r
}

@test "a portable upper holds shifted ids, and moves to another range" {
	unpack --base 1000000 img
	mount_image "$STORE" a -m +100000 -o "upper=$SCRATCH/upper"
	must_equal "$(owner upper)" 1000007:1000008
	"$TESTS/fixtures/in-range" 100000 a sh -c 'echo 1 >d/mine && chmod 4755 d/mine &&
		echo 2 >>d/suid && mkdir new && rm imp/f'
	must_equal "$(owner upper/d/mine) $(owner upper/d/suid) $(owner upper/new)" \
		"1000000:1000002 1000003:1000004 1000000:1000000"
	must_work "$SHIFTBOX" mount-idmapped -u a
	mount_image "$STORE" b -m +300000 -o "upper=$SCRATCH/upper"
	must_equal "$(owner b/d/mine) $(owner b/d/suid) $(stat -c %a b/d/mine)" \
		"300000:300002 300003:300004 4755"
	"$TESTS/fixtures/in-range" 300000 b sh -c 'echo 3 >>d/mine'
	must_work "$SHIFTBOX" mount-idmapped -u b
	mkdir c
	must_work "$SHIFTBOX" mount-idmapped -s "$STORE" -m +500000 -o ephemeral image:img c
	"$TESTS/fixtures/in-range" 500000 c sh -c 'echo 3 >d/mine'
	must_equal "$(owner c/d/mine)" 500000:500002
}

@test "the store remembers its base, and takes no other" {
	unpack --base 1000000:70000 img
	unpack --base 1000000:70000 -N again img
	unpack -N third img
	must_equal "$(stat -c %u "$STORE/$(tail -n1 "$STORE/images/third/layers")/cap2")" 1000000
	must_equal "$(cat "$STORE/base")" 1000000:70000
	must_fail 1 "has the base 1000000:70000, not 2000000:65536" \
		"$SHIFTBOX" image-unpack -s "$STORE" --base 2000000 -N x img
	[[ $stderr == *"try:  omit --base"* ]]
	plain img
	must_fail 1 "has layers without a base" \
		"$SHIFTBOX" image-unpack -s plain --base 2000000 -N x img
	[ ! -e plain/base ]
	must_equal "$(stat -c %a plain)" 700
	local base
	for base in 0 x -1 1: 1:0 1:2:3 4294967295 4294967294:2 18446744073709551616 ' 1'; do
		must_fail 2 "is not a valid base for disk ids" \
			"$SHIFTBOX" image-unpack -s new --base "$base" -N x img
	done
	[ ! -e new ]
	must_fail 2 "'--base' is not for --flat: it is for unpacking into a store" \
		"$SHIFTBOX" image-unpack --flat f --base 1000000 img
	echo garbage >"$STORE/base"
	must_fail 1 "of the store is damaged" "$SHIFTBOX" image-unpack -s "$STORE" --list
}

@test "--dry-run refuses what would be refused, and changes nothing" {
	local base
	unpack --base 1000000 img
	plain img
	mkdir empty other
	touch other/file
	dry() {
		capture "$SHIFTBOX" image-unpack -n -N x -s "$@" img
	}
	before=$(find . -printf '%p %m %T@\n' | sort)
	for base in "$STORE 2000000 has the base 1000000:65536" \
		"plain 2000000 has layers without a base" \
		"other 2000000 is neither a store nor empty"; do
		read -r store number text <<<"$base"
		dry "$store" --base "$number"
		[[ $status = 1 && $stderr == *"$text"* ]] || tell "not '$text'"
	done
	for base in "$STORE --base 1000000" "$STORE" plain empty "empty --base 5" \
		"none --base 5" none; do
		# shellcheck disable=SC2086
		dry $base
		[ "$status" = 0 ] || tell "it would work"
	done
	must_equal "$(find . -printf '%p %m %T@\n' | sort)" "$before"
	make_user alice 2001 300000 65536
	must_fail 1 "--base needs root on the host" \
		as_user alice "$SHIFTBOX" image-unpack -n -N x -s none \
		--base 5 img
}

@test "of two that give a new store different bases one wins, and no layer has the other's" {
	local a b
	for _ in 1 2 3 4 5; do
		rm -rf "$STORE"
		"$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" --base 1000000 -N a img 2>err-a &
		a=$!
		"$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" --base 2000000 -N b img 2>err-b &
		b=$!
		if wait $a; then a=0; fi
		if wait $b; then b=0; fi
		[ "$a" = 0 ] || [ "$b" = 0 ] || say "$(cat err-a err-b)"
		local base
		base=$(cut -d: -f1 "$STORE/base")
		must_equal "$(find "$STORE"/layers/sha256-*/ \
			\( -uid "-$base" -o -uid "+$((base + 65536))" \))" ""
	done
}

@test "an id beyond the range is refused by name" {
	image big '{"layers":[{"files":{"f":{"data":"1","uid":30}}}]}'
	image acl '{"layers":[{"files":{"f":{"data":"1",
		"xattrs":{"system.posix_acl_access":"'$ACL_USER'"}}}}]}'
	must_fail 1 "belongs to the user id 30, which the map does not cover" \
		"$SHIFTBOX" image-unpack -s "$STORE" --base 1000000:30 -N x big
	[[ $stderr == *"try:  make a store with a larger COUNT"* ]]
	must_fail 1 "its access control list names the user id 33" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N x acl
	must_equal "$(find "$STORE/layers" "$STORE/images" "$STORE/tmp" -mindepth 1)" ""
}

@test "a store with a base is closed, as another one is" {
	need prog setpriv
	cp /usr/bin/id . &&
		image suid '{"layers":[{"files":{"./":{"type":"dir","mode":"755"},
		"id":{"copy":"'"$PWD"'/id","mode":"6755"},
		"null":{"type":"char","dev":[1,3],"mode":"666"}}}]}'
	chmod 711 "$SCRATCH"
	mkdir -m 755 "$STORE" # which is empty
	capture "$SHIFTBOX" image-unpack -s "$STORE" --base 1000000 -N img suid
	must_equal "$status" 0
	[[ $stderr == *"'null': skipped: a device"* ]] || tell "the device is not told of"
	[ ! -e "$(top)/null" ]
	must_equal "$(stat -c %a "$STORE" "$STORE/tmp" | paste -sd' ')" "700 700"
	must_work "$SHIFTBOX" image-unpack -q -s new/one --base 1000000 -N img img
	must_equal "$(stat -c %a new/one)" 700
	run -126 stranger "$(top)/id" -u
	must_work "$SHIFTBOX" image-unpack -q -s plain -N img suid
	chmod 755 plain
	must_fail 1 "the store is open to others" "$SHIFTBOX" image-unpack -s plain -N x suid
	[[ $stderr == *"try:  chmod 0700 '"* ]]
}

# As those were that an older version has made: its programs make any user the owner of all layers.
@test "an open store with a base, on a mount with set-uid programs, is refused until closed" {
	local use
	unpack --base 1000000 img
	mkdir t
	chmod 755 "$STORE"
	for use in "image-unpack -N x img" "image-unpack --list" "image-unpack --verify img" \
		"image-unpack --prune" "image-unpack -n -N x img" \
		"mount-idmapped -m +100000 image:img t" \
		"userns-run -m +100000 -i image:img true"; do
		# shellcheck disable=SC2086
		capture "$SHIFTBOX" ${use%% *} -s "$STORE" ${use#* }
		[ "$status" != 0 ] || tell "not refused"
		stderr_has "the store is open to others (mode 0755), and its mount is not nosuid" \
			... "try:  chmod 0700 '$STORE'"
	done
	echo "image:img $SCRATCH/t shiftbox store=$STORE,map=+100000 0 0" >tab
	capture "$SHIFTBOX" mount-idmapped -a -n -T tab
	[[ $stderr == *"chmod 0700 '$STORE'"* ]] || tell "the plan does not tell"
	chmod 700 "$STORE"
	mount_image "$STORE" t -m +100000
	umount t
	chmod 777 "$STORE"
	must_fail 1 "other users may write to the store" "$SHIFTBOX" image-unpack -s "$STORE" --list
}

@test "--public: a store with a base that others can look into, on a mount that is nosuid" {
	need prog setpriv
	chmod 711 "$SCRATCH"
	cp /usr/bin/id . &&
		image suid '{"layers":[{"files":{"./":{"type":"dir","mode":"755"},
		"id":{"copy":"'"$PWD"'/id","mode":"6755"}}}]}'
	must_fail 1 "only on a mount that is nosuid" \
		"$SHIFTBOX" image-unpack -s "$STORE" --base 1000000 --public -N img suid
	must_fail 1 "only on a mount that is nosuid" \
		"$SHIFTBOX" image-unpack -n -s a/b/c/ --base 1000000 --public -N img suid
	must_fail 1 "only on a mount that is nosuid" \
		"$SHIFTBOX" image-unpack -n -s /a --base 1000000 --public -N img suid
	[ ! -e "$STORE" ]
	[ ! -e a ]
	mkdir n
	mount -t tmpfs -o nosuid,mode=755 n n
	(umask 077 && must_work "$SHIFTBOX" image-unpack -q -s n/s --base 1000000 \
		--public -N img suid)
	must_equal "$(stat -c %a n/s n/s/layers n/s/tmp | paste -sd' ')" "755 755 700"
	STORE=n/s
	must_work stranger "$(top)/id" -u
	must_equal "$output" 4711
	# It stays what it is, and one that is closed is opened when that is said.
	must_work "$SHIFTBOX" image-unpack -q -s n/s -N other img
	must_equal "$(stat -c %a n/s)" 755
	mount_image n/s at -m +100000 -o nosuid
	umount at
	must_work "$SHIFTBOX" image-unpack -q -s n/t --base 1000000 -N img suid
	must_equal "$(stat -c %a n/t)" 700
	must_work "$SHIFTBOX" image-unpack -q -n -s n/t --base 1000000 --public -N img suid
	must_equal "$(stat -c %a n/t)" 700
	must_work "$SHIFTBOX" image-unpack -q -s n/t --base 1000000 --public -N img suid
	must_equal "$(stat -c %a n/t)" 755
	umount n
}

@test "a look for others into a closed store: a read-only mount of the image with its disk ids" {
	need prog setpriv
	chmod 711 "$SCRATCH"
	cp /usr/bin/id . &&
		image suid '{"layers":[{"files":{"./":{"type":"dir","mode":"755"},
		"id":{"copy":"'"$PWD"'/id","mode":"6755"}}}]}'
	unpack --base 1000000 -N img suid
	mount_image "$STORE" look -m none -o ro,nosuid,nodev
	must_work stranger look/id -u
	must_equal "$output" 4711
	must_equal "$(owner look/id)" 1000000:1000000
	umount look
}

@test "verify, show and map look at the image's ids" {
	unpack --base 1000000 img
	plain img
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --verify img
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --show img
	[[ $output == *"base      1000000: disk ids are 1000000 to 1065535"* ]]
	must_work "$SHIFTBOX" image-unpack --json -s "$STORE" --show img
	[[ $output == *'"base":1000000,"count":65536'* ]]
	must_equal "$("$SHIFTBOX" shift-check map -s "$STORE" --cover image:img)" \
		"$("$SHIFTBOX" shift-check map -s plain --cover image:img)"
	# Somebody who shifted by hand is found.
	python3 -c 'import os, sys; os.chown(sys.argv[1], 3, 4)' "$(bottom)/d/suid"
	capture "$SHIFTBOX" image-unpack -s "$STORE" --verify img
	must_equal "$status" 3
	[[ $output == *d/suid* ]]
}

@test "layers that are there are taken, the variants by what is below them" {
	# a mount of an image of that name, anywhere, would keep it
	unpack --base 1000000 -N first img
	must_work "$SHIFTBOX" image-unpack --no-sync -s "$STORE" -N again img
	[[ $output == *"0 unpacked, 2 shared"* ]]
	local dependent='{"files":{"d/x":"1"}}'
	image a '{"layers":[{"files":{"d":{"type":"dir","uid":11,"gid":12}}},'"$dependent"']}'
	image b '{"layers":[{"files":{"d":{"type":"dir","uid":21,"gid":22}}},'"$dependent"']}'
	unpack a
	unpack b
	must_equal "$(stat -c %u "$STORE/$(head -n1 "$STORE/images/a/layers")/d")" 1000011
	must_equal "$(stat -c %u "$STORE/$(head -n1 "$STORE/images/b/layers")/d")" 1000021
	must_work "$SHIFTBOX" image-unpack --no-sync -s "$STORE" -N b2 b
	[[ $output == *"0 unpacked, 2 shared"* ]]
	local use
	for use in "--remove=first" "--remove=again" "--prune"; do
		must_work "$SHIFTBOX" image-unpack -q -s "$STORE" "$use"
	done
	must_equal "$(find "$STORE/layers" -mindepth 1 -maxdepth 1 -type d | wc -l)" 4
}

@test "killed at random moments it leaves whole layers, and the next run sweeps" {
	local i killed=0
	image big '{"layers":[{"bulk":600,"seed":1},{"bulk":600,"seed":2},{"files":{"d/x":"1"},
		"bulk":400,"seed":3}]}'
	timed unpack --base 1000000 -N img big
	find "$STORE/layers" -printf '%P %U:%G %m %s\n' | grep -v '\.json\|^ ' | sort >want
	RANDOM=4712
	for ((i = 1; i <= 12 || killed < 4; i++)); do
		[ $i -le 500 ] || say "only $killed of $i were killed at work"
		rm -rf "$STORE"/layers/* "$STORE"/images/*
		kill_at_random "$SHIFTBOX" image-unpack -q --no-sync -s "$STORE" -N img big
		if ((i % 3 == 0)); then
			unpack -N img big
			must_equal "$(ls -A "$STORE/tmp")" ""
			find "$STORE/layers" -printf '%P %U:%G %m %s\n' | grep -v '\.json\|^ ' |
				sort | diff want -
		fi
	done
	unpack -N img big
}
