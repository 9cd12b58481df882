#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The oracle of tests/unit/explain_oracle_test.c on filesystems with a disk: what explain predicts
# is what they answer.

load lib
need loop
need kernel 6.15

UNIT=$(dirname "$SHIFTBOX")/unit

oracle() {
	local type=$1 i loops=()
	for i in 0 1; do
		truncate -s 320M "disk$i"
		PATH=$PATH:/usr/sbin "mkfs.$type" -q "disk$i"
		loops[i]=$(losetup -f --show "disk$i")
	done
	must_work env ORACLE_TYPE="$type" ORACLE_DEVICE0="${loops[0]}" \
		ORACLE_DEVICE1="${loops[1]}" SEED="$2" N=1000 "$UNIT" predictions_are
	losetup -d "${loops[@]}"
	[[ $output == *"ok 1 - predictions_are_what_the_kernel_answers"* ]] || tell "it did not run"
}

@test "predictions hold on ext4" {
	need prog mkfs.ext4
	[ -x "$UNIT" ] || make -s -C "$TESTS/.." unit
	oracle ext4 11
}

@test "predictions hold on xfs" {
	need prog mkfs.xfs
	[ -x "$UNIT" ] || make -s -C "$TESTS/.." unit
	oracle xfs 12
}
