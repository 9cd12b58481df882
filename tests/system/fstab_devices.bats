# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# Lines of an fstab for devices: found and mounted as by mount(8), which is run beside.

load lib
unset LIBMOUNT_FORCE_MOUNT2 # mount(8) as users have it

need root
need loop
need prog mkfs.ext4 losetup blkid

MI="$SHIFTBOX mount-idmapped"

test_setup() {
	mkdir t
	truncate -s 16M image
	PATH=$PATH:/usr/sbin mkfs.ext4 -q -L fstabdev image
	LOOPS=
}

test_teardown() {
	local one
	for one in $LOOPS; do losetup -d "$one"; done
}

attach() {
	DEV=$(losetup -f --show "$@")
	LOOPS="$LOOPS $DEV"
}

@test "a line is found by any name of its device" {
	local names source word
	attach "$PWD/image"
	ln -s "$DEV" link
	names="$DEV LABEL=fstabdev UUID=$(blkid -po value -s UUID "$DEV") $SCRATCH/link"
	for source in $names; do
		echo "$source $SCRATCH/t ext4 X-mount.idmap=b:0:1001:1 0 0" >fstab
		for word in $names ./link 'LABEL="fstabdev"' "$SCRATCH/t"; do
			must_work $MI -T fstab "$word"
			must_equal "$source $word $(owner t)" "$source $word 1001:1001"
			must_work $MI -u t
		done
		for word in LABEL=other UUID=00000000-0000-0000-0000-000000000001 /dev/null; do
			must_fail 1 "has this source or target" $MI -T fstab "$word"
		done
	done
}

@test "a line for a file is found by the loop device over it" {
	attach "$PWD/image"
	echo "$SCRATCH/image $SCRATCH/t ext4 loop,X-mount.idmap=b:0:1001:1 0 0" >fstab
	must_work $MI -T fstab "$DEV"
	must_equal "$(owner t)" 1001:1001
	must_work $MI -u t
}

@test "of two lines for one device, the first is taken, as by mount(8)" {
	mkdir u
	attach "$PWD/image"
	printf '%s\n' "LABEL=fstabdev $SCRATCH/u ext4 X-mount.idmap=b:0:2:1 0 0" \
		"UUID=$(blkid -po value -s UUID "$DEV") $SCRATCH/t ext4 X-mount.idmap=b:0:1:1 0 0" \
		>fstab
	must_work $MI -T fstab "$DEV"
	must_equal "$(owner u)" 2:2
	must_work $MI -u u
}

types_are() { # TYPES WANT
	echo "$SCRATCH/image $SCRATCH/t $1 loop,X-mount.idmap=b:0:1001:1 0 0" >fstab
	must_work $MI -T fstab t
	must_equal "$1 $(findmnt -no FSTYPE -M t) $(owner t)" "$1 $2 1001:1001"
	must_work $MI -u t
	echo "$SCRATCH/image $SCRATCH/t $1 loop 0 0" >fstab
	mount -T "$SCRATCH/fstab" t
	must_equal "mount(8): $1 $(findmnt -no FSTYPE -M t)" "mount(8): $1 ${3:-$2}"
	umount t
}

@test "of a list of types, the one is taken that the device has, as by mount(8)" {
	need prog mkfs.ext2
	types_are foo,bar,ext4 ext4
	types_are ext4,foo ext4
	types_are foo,ext4,ext2 ext4
	must_work $MI -m b:0:1001:1 -t foo,ext4 image t
	must_work $MI -u t
	echo "$SCRATCH/image $SCRATCH/t foo,xfs loop,X-mount.idmap=b:0:1001:1 0 0" >fstab
	must_fail 1 "is none of the types foo,xfs: libblkid finds ext4" $MI -T fstab t
	stderr_has "add ext4 to the list"
	must_fail 32 "" mount -T "$SCRATCH/fstab" t
	# ext2 is read by the driver that can be mapped.
	PATH=$PATH:/usr/sbin mkfs.ext2 -qF image
	echo "$SCRATCH/image $SCRATCH/t foo,bar,ext2 loop,X-mount.idmap=b:0:1001:1 0 0" >fstab
	must_work $MI -T fstab t
	must_equal "$(findmnt -no FSTYPE -M t) $(owner t)" "ext4 1001:1001"
	must_work $MI -u t
}

free_device() {
	local dev
	dev=$(losetup -f)
	echo "$dev"
}

@test "loop=DEVICE: a free one is taken; a matching or busy one is refused, as by mount(8)" {
	local free other
	free=$(free_device)
	must_work $MI -m b:0:1001:1 -o "loop=$free" image t
	must_equal "$(findmnt -no SOURCE -M t) $(owner t)" "$free 1001:1001"
	must_work $MI --once -m b:0:1001:1 -o "loop=$free" image t
	must_work $MI -u t
	must_equal "$(losetup -nO BACK-FILE "$free" 2>/dev/null)" ""

	# It is found by any name.
	ln -s "$free" link
	echo "$SCRATCH/image $SCRATCH/t ext4 loop=$SCRATCH/link,X-mount.idmap=b:0:1001:1 0 0" >fstab
	must_work $MI -a -T fstab
	must_work $MI -a -T fstab
	must_equal "$(findmnt -no SOURCE t)" "$free"
	must_work $MI -a -u -T fstab

	# Matching: the same file, the same part.
	attach "$PWD/image"
	for other in "$DEV" "$(free_device)"; do
		must_fail 32 "overlapping loop device exists" \
			mount -o "loop=$other" "$SCRATCH/image" "$SCRATCH/t"
		must_fail 1 "'image': is attached to $DEV already" \
			$MI -m b:0:1001:1 -o "loop=$other" image t
		must_fail 1 "'image': is attached to $DEV already" \
			$MI -n -m b:0:1001:1 -o "loop=$other" image t
		stderr_has "give loop without a value, which uses $DEV"
	done
	must_work $MI -m b:0:1001:1 -o loop image t
	must_equal "$(findmnt -no SOURCE -M t)" "$DEV"
	must_work $MI -u t
	must_equal "$(losetup -nO BACK-FILE "$DEV")" "$SCRATCH/image"

	# Busy, with another file or another part.
	cp image second
	must_fail 1 "'$DEV': the loop device is in use" $MI -m b:0:1001:1 -o "loop=$DEV" second t
	stderr_has "it shows '$SCRATCH/image', not 'second'"
	must_fail 1 "'$DEV': the loop device is in use" \
		$MI -n -m b:0:1001:1 -o "loop=$DEV" second t
	for other in /dev/null /dev/no-such; do
		must_fail 1 "loop device" $MI -n -m b:0:1001:1 -o "loop=$other" second t
	done
	must_fail 32 "" mount -o "loop=$DEV" "$SCRATCH/second" "$SCRATCH/t"
	must_fail 1 "is not a loop device" $MI -m b:0:1001:1 -o loop=/dev/null image t
	must_fail 1 "cannot open the loop device" $MI -m b:0:1001:1 -o loop=/dev/no-such image t
	must_fail 2 "the value after '=' is missing" $MI -m b:0:1001:1 -o loop= image t
	! mountpoint -q t
}
