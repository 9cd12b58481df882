# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# Attacks on the broker: calls by another ABI, bad pointers, missing privileges, and paths that
# change during the call.

load lib
load broker

attack() { # OPTION... -- WHAT [ARGUMENT...]
	must_work $RUN -r closed/root --allow mknod:safe --audit audit "$@"
	must_equal "$output" ""
	must_work jq -es 'all(.call)' audit # each line is JSON; no line where no call reached it
}

wait_until() { # CMD...: succeeds, within a minute
	for _ in {1..1200}; do
		! "$@" 2>/dev/null || return 0
		sleep 0.05
	done
	say "never: $*"
}

@test "another ABI, a bad pointer, an odd descriptor and a dropped capability get no node" {
	attack -- attack abi
	attack -- attack pointers
	attack -- attack descriptors
	attack -- attack few
}

@test "a node is created where its path led when the broker checked it" {
	need prog strace pgrep
	local run broker strace status=0
	mkdir -m 755 hosts
	$RUN -r closed/root -b "$SCRATCH/hosts:/hosts" --allow mknod:safe -- \
		sh -c 'mknod /srv/up c 1 3
			until [ -e /srv/go ]; do sleep 0.05; done
			exec attack exchange /hosts' >out 3>&- &
	run=$!
	wait_until [ -e closed/root/srv/up ]
	broker=$(pgrep -P $run -n)
	strace -qq -o trace -e trace=openat2,mknodat -e inject=mknodat:delay_enter=2000000 \
		-p "$broker" 3>&- &
	strace=$!
	wait_until grep -q 'TracerPid:[[:space:]]*[1-9]' "/proc/$broker/status"
	touch closed/root/srv/go
	wait_until grep -q openat2 trace
	touch closed/root/srv/exchange
	wait $run || status=$?
	wait $strace
	must_equal "$status $(cat out)" "0 "
	grep -q 'mknodat.*DELAYED' trace || say "the broker was not delayed: $(cat trace)"
	must_equal "$(ls -A hosts)" ""
}

@test "the broker's processes in the command's namespace cannot be inspected" {
	attack --allow mount:ext4:/dev/null --allow umount -- attack sightings
}

@test "an image that is mounted 40 times has one loop device, which is gone at the end" {
	need loop
	local image=$SCRATCH/disk.img
	truncate -s 4M "$image"
	mke2fs -q -F -t ext4 "$image"
	mkdir closed/root/mnt
	must_work $RUN -r closed/root --allow "mount:ext4:$image" -- sh -c "
		for i in \$(busybox seq 40); do mkdir /tmp/\$i && mount -t ext4 $image /tmp/\$i ||
		exit 1; done
		grep -c ' /tmp/[0-9]* .*ext4' /proc/self/mountinfo
		grep ' /tmp/[0-9]* ' /proc/self/mountinfo | cut -d' ' -f3 | uniq | wc -l"
	must_equal "$(xargs <<<"$output")" "40 1"
	for _ in {1..600}; do
		[ -n "$(losetup -j "$image")" ] || break
		sleep 0.1
	done
	must_equal "$(losetup -j "$image")" ""
}
