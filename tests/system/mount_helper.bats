#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# mount.shiftbox: lines of type shiftbox in an fstab, through mount(8) and umount(8) themselves.

load lib
need root
need prog mount umount findmnt

test_setup() {
	# mount(8) looks for helpers in /sbin alone: an overlay of it, in this mount namespace.
	mkdir helper upper work s t
	mount -t overlay overlay /sbin -o "lowerdir=/sbin,upperdir=$SCRATCH/upper,workdir=$SCRATCH/work"
	ln -s "$SHIFTBOX" /sbin/mount.shiftbox
	touch s/file
}

test_teardown() {
	umount -l /sbin
}

@test "mount -a mounts a line with its map, and umount takes it away" {
	printf '%s\n' "$SCRATCH/s $SCRATCH/t shiftbox map=0:1001:1,nosuid,nodev,nofail,_netdev,x-systemd.automount 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" -a
	must_equal "$(owner t/file)" 1001:1001
	[[ $(findmnt -no OPTIONS t) = *nosuid*nodev* ]]
	must_work umount t
	[ -z "$(ls t)" ]
	must_equal "$(owner s/file)" 0:0
}

@test "names with blanks and commas arrive as the fstab says" {
	mkdir 'a, b' 'c d'
	touch 'a, b/file'
	printf '%s\n' "$SCRATCH/a,\\040b $SCRATCH/c\\040d shiftbox map=0:1001:1 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" "$SCRATCH/c d"
	must_equal "$(owner 'c d/file')" 1001:1001
	must_work umount "$SCRATCH/c d"
}

@test "what mount(8) asks and cannot be had is refused, not ignored" {
	must_fail 2 'no option is ignored' mount -s -t shiftbox -o map=0:1001:1 s t
	must_fail 2 "unknown option 'nonsense'" mount -t shiftbox -o map=0:1001:1,nonsense s t
	must_fail 2 'started by mount(8)' /sbin/mount.shiftbox onlyone
	[ -z "$(ls t)" ]
}

@test "mount -f changes nothing" {
	must_work mount -f -t shiftbox -o map=0:1001:1 "$SCRATCH/s" "$SCRATCH/t"
	[ -z "$(ls t)" ]
}
