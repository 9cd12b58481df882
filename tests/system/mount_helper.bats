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

@test "mount -a twice mounts nothing twice, and says so when asked" {
	printf '%s\n' "$SCRATCH/s $SCRATCH/t shiftbox map=0:1001:1,nosuid 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" -a
	must_work mount -T "$SCRATCH/fstab" -a
	must_equal "$(grep -c " $SCRATCH/t " /proc/self/mountinfo)" 1
	capture mount -v -T "$SCRATCH/fstab" -a
	must_equal "$status" 0
	[[ $stderr == *"'$SCRATCH/t': mounted already, as it should be"* ]]
	# What mount(8) mounted is ours to know, and the other way round.
	must_work "$SHIFTBOX" mount-idmapped -a -u -T fstab
	must_equal "$(grep -c " $SCRATCH/t " /proc/self/mountinfo)" 0
}

@test "mount -a refuses a line whose map has changed" {
	printf '%s\n' "$SCRATCH/s $SCRATCH/t shiftbox map=0:1001:1 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" -a
	sed -i s/1001/1002/ fstab
	capture mount -T "$SCRATCH/fstab" -a
	[ "$status" != 0 ]
	[[ $stderr == *'there: disk 0 is seen as 1001; wanted: disk 0 is seen as 1002'* ]]
	must_equal "$(owner t/file)" 1001:1001
}

@test "mount TARGET, findmnt and umount TARGET know the line" {
	printf '%s\n' "$SCRATCH/s $SCRATCH/t shiftbox noauto,map=0:1001:1 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" -a
	[ -z "$(ls t)" ]
	must_work mount -T "$SCRATCH/fstab" "$SCRATCH/t"
	must_work findmnt -no TARGET,VFS-OPTIONS "$SCRATCH/t"
	[[ $output == "$SCRATCH/t"*idmapped* ]]
	must_work umount "$SCRATCH/t"
	[ -z "$(ls t)" ]
}

@test "a comma in an option is an escaped escape" {
	mkdir 'l,1'
	touch 'l,1/in-layer'
	printf '%s\n' "overlay $SCRATCH/t shiftbox lower=$SCRATCH/l\\134054\\061,lower=$SCRATCH/s,map=0:1001:1 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" -a
	must_equal "$(owner t/in-layer)" 1001:1001
	must_work umount t
}
