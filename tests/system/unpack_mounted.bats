#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --remove and --prune: what is mounted stays.

load lib
need root
need prog python3

test_setup() {
	"$TESTS/fixtures/mkimage.py" dir <<<'{"layers":[{"files":{"a":"1"}},{"files":{"b":"2"}}]}'
	for name in i other; do
		must_work "$SHIFTBOX" image-unpack -s store -N $name dir
	done
	mkdir target
}

# Mount the image in the mount namespace of another process, which is pid of the caller.
mount_elsewhere() {
	mkfifo ready
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m --propagation private \
		sh -c '"$SHIFTBOX" mount-idmapped -s store image:i target && echo >ready &&
			exec sleep 60' 3>&- &
	pid=$!
	read -r <ready
}

stays() { # TEXT
	must_fail 1 "$1" "$SHIFTBOX" image-unpack -s store --remove i
	must_fail 1 "$1" "$SHIFTBOX" image-unpack -s store --remove i --dry-run
	[ -s store/images/i/layers ]
}

@test "an image that is mounted is not removed, and the mount is named" {
	must_work "$SHIFTBOX" mount-idmapped -s store -m 0:100000:65536 image:i target
	stays "the image is mounted"
	[[ $stderr == *"at '$SCRATCH/target'"* ]]
	must_work "$SHIFTBOX" image-unpack -s store --remove other
	must_work "$SHIFTBOX" mount-idmapped -u target
	must_work "$SHIFTBOX" mount-idmapped -m none -s store -o ephemeral image:i target
	stays "the image is mounted"
	must_work "$SHIFTBOX" mount-idmapped -u target
	must_work "$SHIFTBOX" image-unpack -s store --remove i
}

@test "a mount in the namespace of another process counts" {
	local pid
	mount_elsewhere
	stays "the image is mounted"
	[[ $stderr == *"at '$SCRATCH/target', in the mount namespace of process "* ]]
	kill $pid
	wait $pid || true
	must_work "$SHIFTBOX" image-unpack -s store --remove i
}

@test "where the kernel tells the layers, a mount of another store does not count" {
	must_work "$SHIFTBOX" image-unpack -s store2 -N i dir
	mount -t overlay image:i target \
		-o "ro,lowerdir=$(sed "s|^|$SCRATCH/store2/|" store2/images/i/layers | paste -sd:)"
	must_fail 1 "the image is mounted" "$SHIFTBOX" image-unpack -s store2 --remove i
	stderr_has "try:  unmount it: shiftbox mount-idmapped -u $SCRATCH/target"
	must_work "$SHIFTBOX" image-unpack -s store --remove i
	umount target
	mount -t tmpfs image:other target
	must_work "$SHIFTBOX" image-unpack -s store --remove other
}

# The layers that are in the store, by their first file.
layers() {
	find -L store/layers -mindepth 2 -printf '%f\n' | sort | paste -sd' '
}

replace() {
	"$TESTS/fixtures/mkimage.py" new <<<'{"layers":[{"files":{"a":"1"}},{"files":{"c":"3"}}]}'
	must_work "$SHIFTBOX" image-unpack -q -s store -N i new
	must_work "$SHIFTBOX" image-unpack -q -s store -N other new
}

@test "--prune spares the layers of a stack whose image was replaced while it was mounted" {
	local way
	for way in fds names; do
		export SHIFTBOX_OVERLAY_WAY=$way
		must_work "$SHIFTBOX" mount-idmapped -s store -m +100000:65536 image:i target
		replace
		must_equal "$(layers)" "a b c"
		must_work "$SHIFTBOX" image-unpack -n -s store --prune
		must_equal "$output" "$NONE_TO_REMOVE"
		capture "$SHIFTBOX" image-unpack -v -s store --prune
		must_equal "$status" 0
		must_equal "$output" "$NONE_TO_REMOVE"
		[[ $stderr == *"which no image names: it is mounted"* ]]
		must_equal "$(layers)" "a b c"
		must_equal "$(cat target/b)" 2
		must_work "$SHIFTBOX" mount-idmapped -u target
		must_work "$SHIFTBOX" image-unpack -s store --prune
		[[ $output == "removed sha256-"* ]]
		must_equal "$(layers)" "a c"
		for name in i other; do
			must_work "$SHIFTBOX" image-unpack -q -s store -N $name dir
		done
		must_work "$SHIFTBOX" image-unpack -q -s store --prune
		rm -r new
	done
}

@test "--prune spares what other namespaces and other mounts of a layer use" {
	local pid dir
	mount_elsewhere
	replace
	must_work "$SHIFTBOX" image-unpack -s store --prune
	must_equal "$(layers)" "a b c"
	kill $pid
	wait $pid || true
	# A bind mount of one layer, and an overlay that somebody else made.
	dir=$(dirname "$(find -L store/layers -name b)")
	must_work "$SHIFTBOX" mount-idmapped -m +100000:65536 "$dir" target
	must_work "$SHIFTBOX" image-unpack -s store --prune
	must_equal "$(layers)" "a b c"
	must_work "$SHIFTBOX" mount-idmapped -u target
	mkdir empty
	mount -t overlay overlay target -o "ro,lowerdir=$dir:empty"
	must_work "$SHIFTBOX" image-unpack -s store --prune
	must_equal "$(layers)" "a b c"
	umount target
	must_work "$SHIFTBOX" image-unpack -q -s store --prune
	must_equal "$(layers)" "a c"
}

@test "--prune removes nothing while an image's mount does not tell its layers" {
	replace
	mkdir x y
	mount -t overlay image:i target -o ro,lowerdir=x:y
	must_fail 1 "the kernel does not show which layers it uses" \
		"$SHIFTBOX" image-unpack -s store --prune
	[[ $stderr == *"'$SCRATCH/target'"*try:* ]]
	must_equal "$(layers)" "a b c"
	umount target
	must_work "$SHIFTBOX" image-unpack -q -s store --prune
	must_equal "$(layers)" "a c"
}

@test "more layers than mount(2) takes by name are numbered, and mounted all the same" {
	python3 -c 'import json
layers = [{"files": {"f%d" % i: str(i), "same": str(i)}} for i in range(60)]
print(json.dumps({"layers": layers}))' |
		"$TESTS/fixtures/mkimage.py" many
	must_work "$SHIFTBOX" image-unpack -q -s store --no-sync -N many many
	for way in fds names; do
		SHIFTBOX_OVERLAY_WAY=$way must_work "$SHIFTBOX" mount-idmapped -s store \
			-m +100000:65536 image:many target
		must_equal "$(cat target/same) $(ls target | wc -l) $(owner target/f7)" \
			"59 61 100000:100000"
		must_work "$SHIFTBOX" mount-idmapped -u target
	done
}

@test "what is mounted while its image is replaced and pruned by others keeps its files" {
	local i n=0 churn
	"$TESTS/fixtures/mkimage.py" new <<<'{"layers":[{"files":{"a":"1"}},{"files":{"b":"3"}}]}'
	for i in 1 2 3 4 5 6 7 8; do mkdir target$i; done
	{
		for i in $(seq 12); do
			"$SHIFTBOX" image-unpack -q --no-sync -s store -N i new &&
				"$SHIFTBOX" image-unpack -q -s store --prune &&
				"$SHIFTBOX" image-unpack -q --no-sync -s store -N i dir &&
				"$SHIFTBOX" image-unpack -q -s store --prune || exit 1
		done
	} >churn.out 2>&1 3>&- &
	churn=$!
	must_work "$SHIFTBOX" image-unpack -q -s store --remove other
	while kill -0 $churn 2>/dev/null || [ $n -lt 8 ]; do
		n=$((n + 1)) i=$((n % 8 + 1))
		if [ $n -gt 8 ]; then
			[[ $(cat target$i/a target$i/b) = 1[23] ]] ||
				say "stack $n has lost files: $(ls target$i)"
			must_work "$SHIFTBOX" mount-idmapped -u target$i
		fi
		capture "$SHIFTBOX" mount-idmapped -s store -m +100000:65536 image:i target$i
		must_equal "$status" 0
	done
	wait $churn || say "$(cat churn.out)"
	for i in 1 2 3 4 5 6 7 8; do
		[[ $(cat target$i/a target$i/b) = 1[23] ]] ||
			say "a stack has lost files: $(ls target$i)"
		must_work "$SHIFTBOX" mount-idmapped -u target$i
	done
	must_work "$SHIFTBOX" image-unpack -q -s store --prune
	must_equal "$(layers)" "a b"
}

# --- other users ---

# A mount namespace of uid 1501, in a user namespace of its own, where the words were run;
# $STRANGER.
stranger() {
	chmod 711 "$SCRATCH"
	# Anyone may write to it before that user does.
	mkfifo -m 666 ready.$#
	setpriv --reuid 1501 --regid 1501 --clear-groups unshare -Urm sh -ec "mount -t tmpfs t /mnt
		cd /mnt
		mkdir a b m
		$1
		echo >'$SCRATCH/ready.$#'
		exec sleep 600" 3>&- 2>why &
	STRANGER=$!
	timeout 300 cat ready.$# >/dev/null ||
		say "the other user's namespace does not come: $(cat why)"
	rm ready.$#
}

# What the other user has mounted keeps neither the replaced layers nor the image.
counts_for_nothing() {
	replace
	must_work "$SHIFTBOX" image-unpack -q -s store --prune
	must_equal "$(layers)" "a c"
	must_work "$SHIFTBOX" image-unpack -q -s store --remove i
}

test_teardown() {
	[ -z "${STRANGER:-}" ] || kill "$STRANGER" 2>/dev/null || true
}

@test "what another user calls image:NAME keeps root from nothing" {
	need userns
	need prog setpriv
	stranger 'mount -t overlay image:i -o lowerdir=a:b m'
	counts_for_nothing
}

@test "a directory of another user's that is called like a layer is no layer" {
	local name
	need userns
	need prog setpriv
	name=$(basename "$(dirname "$(find -L store/layers -name b)")")
	# By name, below what looks like a store, and as the root of a bind mount.
	stranger "mkdir -p layers/$name; mount -t overlay image:i -o lowerdir=layers/$name:b m
		mkdir x; mount --bind layers/$name x"
	counts_for_nothing
}

@test "a name that leads to a layer only since the overlay was mounted does not count either" {
	local dir
	need userns
	need prog setpriv
	dir=$(dirname "$(find -L store/layers -name b)")
	stranger "mkdir -p 'p$SCRATCH/$(dirname "$dir")' 'p$SCRATCH/$dir'
		mount -t overlay image:i -o \"lowerdir=/mnt/p$SCRATCH/$dir:b\" m
		mount --rbind / p; ls -d 'p$SCRATCH'"
	counts_for_nothing
}

@test "a layer of an open store that another user has mounted is kept, but not its image" {
	local dir way public=()
	need userns
	need prog setpriv
	mount -o remount,nosuid "$SCRATCH"
	"$SHIFTBOX" image-unpack --help | grep -q -e '--public' && public=(--public)
	must_work "$SHIFTBOX" image-unpack -q -s open --base 300000 "${public[@]}" -N i dir
	dir=$(dirname "$(find open/layers -name b)")
	for way in "mount -t overlay image:i -o 'lowerdir=$SCRATCH/$dir:b' m" \
		"mount --bind '$SCRATCH/$dir' m" \
		"mkdir x; mount --rbind '$SCRATCH/open/layers' x; mount -t tmpfs y x"; do
		stranger "$way"
		must_work "$SHIFTBOX" image-unpack -q -s open --remove i
		must_work "$SHIFTBOX" image-unpack -q -s open --prune
		case $way in
		*tmpfs*) [ ! -e "$dir" ] ||
			say "the directory above the layers counts for all of them" ;;
		*) [ -e "$dir/b" ] || say "the layer is gone, mounted by: $way" ;;
		esac
		kill $STRANGER
		wait $STRANGER 2>/dev/null || true
		must_work "$SHIFTBOX" image-unpack -q -s open -N i dir
	done
}

@test "root's own user namespaces count by the label too, and root is told which process to end" {
	local pid
	need userns
	mkfifo ready
	unshare -Urm sh -c 'mount -t tmpfs t /mnt && mkdir /mnt/a /mnt/b /mnt/m &&
		mount -t overlay image:i -o lowerdir=/mnt/a:/mnt/b /mnt/m && echo >ready &&
		exec sleep 60' 3>&- &
	pid=$!
	timeout 300 cat ready >/dev/null || say "the other namespace does not come"
	stays "the image is mounted"
	[[ $stderr == *"at '/mnt/m', in the mount namespace of process $pid (sleep)"* ]] ||
		say "$stderr"
	[[ $stderr == *"try:"*"end process $pid"* && $stderr != *nsenter* ]] || say "$stderr"
	replace
	must_fail 1 "the kernel does not show which layers it uses" \
		"$SHIFTBOX" image-unpack -s store --prune
	[[ $stderr == *"try:"*"end process $pid"* && $stderr != *nsenter* ]] || say "$stderr"
	kill $pid
	wait $pid || true
	must_work "$SHIFTBOX" image-unpack -q -s store --prune
}

@test "the namespaces of the store's owner count for that user" {
	need userns
	make_user alice 2001 300000 65536
	chmod 711 "$SCRATCH"
	mkdir -m 700 his
	mkfifo -m 666 ready
	chown 2001:2001 his
	chmod -R a+rX dir
	must_work as_user alice "$SHIFTBOX" image-unpack -q -s his/store -N i dir
	as_user alice unshare -Urm \
		sh -c 'mount -t tmpfs t /mnt && mkdir /mnt/a /mnt/b /mnt/m &&
			mount -t overlay image:i -o lowerdir=/mnt/a:/mnt/b /mnt/m && echo >ready &&
			exec sleep 60' 3>&- &
	timeout 300 cat ready >/dev/null || say "the other namespace does not come"
	must_fail 1 "the image is mounted" \
		as_user alice "$SHIFTBOX" image-unpack -s his/store --remove i
	[[ $stderr =~ process\ ([0-9]+) ]] || tell "no process is named"
	kill "${BASH_REMATCH[1]}"
	wait $! || true
	must_work as_user alice "$SHIFTBOX" image-unpack -q -s his/store --remove i
}
