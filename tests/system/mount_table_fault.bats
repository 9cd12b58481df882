# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# mount-idmapped -a with a bind, a stack and an image: each call that such a run makes fails in
# turn. The step is named, and mounts, files, loop devices and processes are as before.

load lib

need root
need loop
need kernel 6.15
need prog gcc mkfs.ext4 jq

MI="$SHIFTBOX mount-idmapped"
PATH=$PATH:/usr/sbin:/sbin

test_setup() {
	gcc -shared -fPIC -O1 -D_GNU_SOURCE -o fail.so "$TESTS/system/fail_nth.c"
	mkdir s l1 l2 bound stacked disk
	mkdir -m 700 private
	truncate -s 8M image
	mkfs.ext4 -q image
	printf '%s\n' "$SCRATCH/s $SCRATCH/bound shiftbox map=+100000 0 0" \
		"overlay $SCRATCH/stacked shiftbox lower=$SCRATCH/l1,lower=$SCRATCH/l2,\
upper=$SCRATCH/private/up,map=+200000 0 0" \
		"$SCRATCH/image $SCRATCH/disk shiftbox loop,ro,map=+300000 0 0" >fstab
}

loops() {
	losetup -nlO BACK-FILE | grep -F "$SCRATCH/" || :
}

state() {
	cut -d' ' -f4- /proc/self/mountinfo
	find . -printf '%p %U:%G %m\n' | sort
	loops
	pgrep -f "$SCRATCH/fstab" || :
}

mounted() {
	grep -c " $SCRATCH/[a-z]*/\? " /proc/self/mountinfo
}

# A loop device frees itself a moment after the last that holds it has let go.
same_state() {
	local i
	for ((i = 0; i < 20; i++)); do
		[ "$(state)" != "$1" ] || return 0
		sleep 0.05
	done
	diff <(echo "$1") <(state)
	say "$2: not as before"
}

# Fail the 1st, 2nd ... CALL (see fail_nth.c) with ERRNO, until there is none left; at least MIN of
# them. STEPS: which steps may be named, as a pattern. WORKS: it is overcome by other means. MAYBE:
# some of them are.
each() {
	local call=$1 errno=$2 min=$3 steps=$4 n before
	before=$(state)
	for ((n = 1; ; n++)); do
		rm -f /tmp/shiftbox-mark.$$
		capture env LD_PRELOAD="$SCRATCH/fail.so" FAIL_CALL="$call" FAIL_ERRNO="$errno" \
			FAIL_NTH=$n FAIL_MARK=/tmp/shiftbox-mark.$$ \
			$MI --json -a -T "$SCRATCH/fstab"
		[ -e /tmp/shiftbox-mark.$$ ] || break
		rm /tmp/shiftbox-mark.$$
		if [ "$steps" = WORKS ] || [ "$steps$status" = MAYBE0 ]; then
			[ "$status" = 0 ] || tell "$call number $n is not overcome"
			must_equal "$(mounted)" 3
			must_work $MI -a -u -T "$SCRATCH/fstab"
			rm -rf private/*
		else
			[ "$status" = 1 ] || tell "$call number $n: the status is not 1"
			[ "$steps" = MAYBE ] ||
				[[ $(jq -r .error.op <<<"$stderr") =~ ^($steps)$ ]] ||
				tell "$call number $n: the step is not named"
		fi
		same_state "$before" "$call number $n"
	done
	[ "$status" = 0 ] || tell "without a fault"
	must_work $MI -a -u -T "$SCRATCH/fstab"
	rm -rf private/*
	same_state "$before" "$call"
	[ "$n" -gt "$min" ] || say "$call: only $((n - 1)) calls, not $min"
}

each_call() {
	each syscall:428 1 3 "open_tree"
	each syscall:442 1 6 "mount_setattr"
	each syscall:430 1 2 "fsopen"
	each syscall:431 1 "$1" "fsconfig"
	each syscall:432 1 2 "fsmount"
	each syscall:429 13 3 "move_mount"
	each clone: 28 3 userns
}

@test "each call of mounting" {
	each_call 8
}

@test "the same where layers are given by name" {
	export SHIFTBOX_OVERLAY_WAY=names
	each_call 4
}

@test "each line of a map that is written, and each step of a loop device" {
	each write:uid_map 1 3 "uid_map|write|userns"
	each write:gid_map 1 3 "gid_map|write|userns"
	# LOOP_CONFIGURE, LOOP_CTL_GET_FREE
	each ioctl:0x4c0a 22 1 LOOP_CONFIGURE
	each ioctl:0x4c82 1 1 LOOP_CTL_GET_FREE
}

@test "each answer of the kernel when mounts are read back" {
	each syscall:457 12 3 ".*"
	# Refused, it is asked by mountinfo.
	each syscall:457 1 3 WORKS
	# openat2, statx and others that have wrappers are in mount_fault.bats.
	each syscall:437 5 5 MAYBE
}
