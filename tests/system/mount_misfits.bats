#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A map that does not suit the tree that it is to show is told at once, by mounting, by running, by
# dry runs and by shift-check, in the same words.

load lib
need root
need kernel 5.12
need prog jq python3 strace

MI="$SHIFTBOX mount-idmapped"
SHIFTED="this tree is already shifted: on disk it belongs to user"

test_setup() {
	mkdir src t
	STORE=$SCRATCH/store
	printf 'alice:231072:65536\n' >"$SCRATCH/subid"
	chmod 644 subid
	mount --bind subid /etc/subuid
	mount --bind subid /etc/subgid
}

owned() { # UID:GID DIR: mounts anew, since nothing may be chowned by what is tested
	chown "$1" "$2"
}

# Mount with these words and unmount again: $stderr.
mount_it() {
	capture $MI "$@"
	[ "$status" = 0 ] || tell "it failed"
	umount -R "${@: -1}"
}

@test "swapped sides are told, with the map that was meant" {
	owned 1000:1000 src
	mount_it -m 100033:1000:1 src t
	stderr_has "warning: 'src': on disk it belongs to user 1000" ... \
		"DISK and SEEN look swapped" ... "-m 'b:1000:100033:1'"
	owned 0:0 src
	mount_it -m 100000:0:65536 src t
	stderr_has "DISK and SEEN look swapped" ... "-m 'b:0:100000:65536'"
	mount_it -m u:0:100000:65536 -m g:100000:0:65536 src t
	stderr_has "on disk it belongs to group 0" ... "DISK and SEEN look swapped" ... \
		"-m 'b:0:100000:65536'"
	mount_it -m u:100000:0:65536 -m g:0:100000:65536 src t
	stderr_has "on disk it belongs to user 0" ... "-m 'b:0:100000:65536'"
}

@test "an owner outside of the map is told, with the line that adds it" {
	owned 70000:0 src
	mount_it -m +100000 src t
	stderr_has "'src': on disk it belongs to user 70000, which the map does not cover" ... \
		"add u:70000:170000:1 to the map"
	owned 0:70000 src
	mount_it -m +100000 src t
	stderr_has "on disk it belongs to group 70000" ... "add g:70000:170000:1 to the map"
	# shellcheck disable=SC2086
	must_work $MI -m "u:0:100000:65536;g:0:100000:65536;g:70000:170000:1" src t
	umount t
	must_work $MI -m none src t
}

@test "a tree that was shifted before is told, by the map and by grants" {
	owned 100000:100000 src
	mount_it -m +100000 src t
	stderr_has "$SHIFTED 100000, which the map shows for disk id 0" ... "-m none"
	mount_it -m +100000:200000 src t # the map covers the owner, too
	stderr_has "$SHIFTED 100000"
	owned 231072:231072 src
	mount_it -m +100000 src t
	stderr_has "$SHIFTED 231072, a subordinate id of alice (/etc/subuid)"
	owned 0:231073 src
	mount_it -m +100000 src t
	stderr_has "on disk it belongs to group 231073, a subordinate id of alice (/etc/subgid)"
	must_work $MI -m 0:5000:1 -m 231073:6000:1 src t
	umount t
	# The way back.
	owned 100000:100000 src
	must_work $MI -m 100000:0:65536 -o ro src t
}

@test "verify and explain say in the same words that a tree was shifted before" {
	owned 231072:231072 src
	capture $MI -m subid:alice src t
	words=${stderr#*"'src': "}
	[[ $words == "$SHIFTED 231072"* ]] || tell "not told"
	capture "$SHIFTBOX" shift-check verify t
	[[ $stderr == *"$words" ]] || tell "verify has other words"
	capture "$SHIFTBOX" shift-check explain t
	[[ $output == *"$words"* ]] || tell "explain has other words"
	capture "$SHIFTBOX" shift-check explain --json t
	jq -e '.mount.map, (.misfit | contains("already shifted"))' <<<"$output" >seen
}

@test "a mount without a map is noted, once, and not with -q, none or a map of the source" {
	mount_it src t
	must_equal "$(grep -c 'no map is given' <<<"$stderr")" 1
	must_work $MI -q src t
	umount t
	must_work $MI -m none src t
	umount t
	must_work $MI -m +100000 src t
	mkdir u
	must_work $MI t u
	umount u
	capture $MI -n t u
	stderr_empty
	mount_it -o lower=src,ephemeral overlay u
	stderr_has "'u': no map is given"
	must_work $MI -m none -o lower=src,ephemeral overlay u
}

@test "a source that is mapped already is judged by its ids on disk" {
	owned 1000:1000 src
	must_work $MI -m 1000:0:1 -o ro src t
	mkdir u
	if lacks kernel 6.15 >/dev/null; then skip "needs kernel 6.15"; fi
	must_work $MI -m 1000:5:1 -o ro t u # the old map shows the owner as 0
	umount u
	mount_it -m 7:5:1 -o ro t u
	stderr_has "'t': on disk it belongs to user 1000"
}

@test "mounts that come along are judged by the owners of their roots, in one warning" {
	local name uid=70000
	for name in a b c; do
		mkdir -p "src/$name"
		mount -t tmpfs -o "uid=$((uid++))" none "src/$name"
	done
	mount -t tmpfs -o uid=5 none src/c # covers the third
	must_work $MI -m +100000 src t # without them
	umount t
	mount_it -m +100000 -o rbind src t
	must_equal "$(grep -c . <<<"$stderr")" 1
	stderr_has "warning: 'src': the map does not suit 2 mounts below; the first is 'src/a':" \
		"on disk it belongs to user 70000, which the map does not cover" ... \
		"add u:70000:170000:1 to the map"
	capture $MI -n -m +100000 -o rbind src t
	stderr_has "the map does not suit 2 mounts below"
	umount src/b
	mount_it -m +100000 -o rbind src t
	stderr_has "warning: 'src/a': on disk it belongs to user 70000"
	must_equal "$(grep -c . <<<"$stderr")" 1
	must_work $MI -m +100000:100000 -o rbind src t
	umount -R t
	# What cannot be mapped does not come along, and is not judged.
	umount src/a
	mount -t ramfs none src/a
	chown 70000 src/a
	must_work $MI -m +100000 -o rbind,skip-unsupported src t
	umount -R t
}

@test "the files of subordinate ids are read once for all lines of an fstab" {
	local i
	for i in 1 2 3 4 5; do
		mkdir "d$i"
		echo "$PWD/src $PWD/d$i shiftbox map=+${i}00000 0 0"
	done >fstab
	owned 231072:231072 src
	strace -f -qq -o trace -e trace=openat $MI -a -n -T fstab
	must_equal "$(grep -c '"/etc/subuid"' trace)" 1
}

@test "each layer is held against its own map" {
	mkdir a b
	owned 5:5 a
	owned 300:300 b
	must_work $MI -o lower=a@5:100000:1,lower=b@300:100000:1 overlay t
	umount t
	mount_it -o lower=a@5:100000:1,lower=b@301:100000:1 overlay t
	must_equal "$(grep -c 'on disk it belongs' <<<"$stderr")" 1
	stderr_has "'b': on disk it belongs to user 300"
}

image() { # NAME JSON
	"$TESTS/fixtures/mkimage.py" "$1" <<<"$2"
	must_work "$SHIFTBOX" image-unpack -s "$STORE" "$1"
}

HIGH='{"layers":[{"files":{"f":{"data":"x","uid":99999,"gid":7}}},
	{"files":{"g":{"data":"x","uid":70000,"gid":70001}}}]}'

@test "ids of an image outside of the map are named, from what was recorded when it was unpacked" {
	image x "$HIGH"
	must_equal "$(jq -r '.uids, .gids' "$STORE"/layers/*.json | sort | paste -sd,)" \
		"0 7,0 70000,0 70001,0 99999"
	mount_it -s "$STORE" -m +100000 image:x t
	stderr_has "'image:x': files have ids that the map does not cover: user ids 70000, 99999," \
		"group id 70001" ... \
		"add u:70000:170000:1;u:99999:199999:1;g:70001:170001:1 to the map"
	must_work $MI -s "$STORE" -m +100000:100000 image:x t
	umount t
	mount_it -s "$STORE" \
		-m 'b:0:100000:65536;u:70000:170000:1;u:99999:199999:1;g:70001:170001:1' image:x t
	must_equal "$stderr" ""
	mount_it -s "$STORE" -m 100000:0:65536 image:x t
	stderr_has "'image:x'" ... "DISK and SEEN look swapped"
	capture $MI -n -s "$STORE" -m +100000 image:x t
	stderr_has "user ids 70000, 99999"
	capture $MI --json -n -s "$STORE" -m +100000 image:x t
	jq -e '.warnings | length == 1' <<<"$output"
	jq -e '.message.level == "warning"' <<<"$stderr"
}

@test "ids of access control lists and capabilities count, the tree is not walked" {
	local acl=0200000001000600ffffffff020004007117010004000400ffffffff
	acl+=10000400ffffffff20000400ffffffff
	image x '{"layers":[{"files":{"f":{"data":"x","xattrs":{
		"system.posix_acl_access":"'"$acl"'"}}}}]}'
	mount_it -s "$STORE" -m +100000 image:x t
	stderr_has "user id 71537"
	strace -f -y -qq -o trace -e trace=getdents64,openat2 $MI -s "$STORE" -m +100000 image:x t
	grep -q openat2 trace
	must_equal "$(grep -c 'getdents64.*sha256-' trace)" 0
}

@test "a layer that an older version unpacked is mounted without a guess" {
	image x "$HIGH"
	for f in "$STORE"/layers/*.json; do
		jq -c 'del(.uids, .gids)' "$f" >new
		cat new >"$f"
	done
	must_work $MI -s "$STORE" -m +100000 image:x t
	umount t
	mount_it -v -s "$STORE" -m +100000 image:x t
	stderr_has "which ids it has is not known"
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --list
}

@test "lines of an fstab that do not suit are counted in one warning" {
	mkdir a b c
	owned 100000:100000 src
	printf '%s\n' "$PWD/src $PWD/a shiftbox map=+100000 0 0" \
		"$PWD/src $PWD/b shiftbox map=+200000,nofail 0 0" \
		"$PWD/src $PWD/c shiftbox defaults 0 0" >fstab
	capture $MI -a -n -T fstab
	dry=$stderr
	capture $MI -a -T fstab
	must_equal "$stderr" "$dry"
	must_equal "$(grep -c . <<<"$stderr")" 2
	stderr_has "2 lines have a map that does not suit what they show; the first is that of"
	stderr_has "1 line has no map"
	must_work $MI -a -u -T fstab
	sed '1d;2s/+200000/none/' fstab >good
	must_work $MI -a -q -T good
}

@test "userns-run warns about its root and its image" {
	image x "$HIGH"
	mkdir src/bin
	owned 100000:100000 src
	capture "$SHIFTBOX" userns-run -r src -m +100000 -- /bin/true
	stderr_has "'src': $SHIFTED 100000"
	capture "$SHIFTBOX" userns-run -s "$STORE" -i x -m +300000 -- /bin/true
	stderr_has "'image:x': files have ids that the map does not cover: user ids 70000, 99999"
	capture "$SHIFTBOX" userns-run -m +300000 -b "$PWD/src:/mnt:ro:map" -- /bin/true
	stderr_has "'$PWD/src': on disk it belongs to user 100000, which the map does not cover"
	"$TESTS/fixtures/busybox-root" root
	must_work "$SHIFTBOX" userns-run -r root -m +300000 --pipe -- true
}

@test "an image in a store with a base is judged by its own ids" {
	image x '{"layers":[{"files":{"f":{"data":"x","uid":60000}}}]}'
	must_work "$SHIFTBOX" image-unpack -s "$SCRATCH/based" --base 500000 x
	must_work $MI -s "$SCRATCH/based" -m +100000 -o ro image:x t
	umount t
	mount_it -s "$SCRATCH/based" -m +100000:1000 -o ro image:x t
	stderr_has "user id 60000"
}
