# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# mount-idmapped: loop devices. One for each part of a file, free again when its last mount goes,
# whatever fails; and images that are damaged or must not be written to.

load lib

need root
need loop
need kernel 5.19
need prog mkfs.ext4 mkfs.xfs mkfs.btrfs btrfstune losetup jq python3 strace findmnt

MI="$SHIFTBOX mount-idmapped"
PATH=$PATH:/usr/sbin:/sbin
MAP="-m u:0:1000:1 -m g:0:2000:1"

test_setup() {
	mkdir m n o
	truncate -s 16M img
	mkfs.ext4 -q img
}

test_teardown() {
	umount /sbin 2>/dev/null
	free_loops
}

# "offset limit read-only" of each loop device over files of this test
loops() {
	losetup -nlO BACK-FILE,OFFSET,SIZELIMIT,AUTOCLEAR,RO |
		awk -v d="$SCRATCH/" 'index($1, d) == 1 { $1 = substr($1, length(d) + 1); print }' |
		sort
}

@test "a loop device frees itself with the last mount, and -u says so" {
	must_work $MI $MAP img m
	must_equal "$(loops)" "img 0 0 1 0"
	capture $MI -v -u m
	[[ $stderr == *"/dev/loop"*" is free again"* ]] || tell "not told"
	must_equal "$(loops)" ""
	must_work $MI $MAP -o ro img m
	must_equal "$(loops)" "img 0 0 1 1"
	umount m
	must_equal "$(loops)" ""
}

@test "mounts of one image share its device and its filesystem, each with a map of its own" {
	must_work $MI $MAP img m
	must_work $MI -m u:0:1100:1 -m g:0:2200:1 img n
	must_work $MI -m u:0:1200:1 -m g:0:2300:1 -o ro img o
	must_equal "$(owner m) $(owner n) $(owner o)" "1000:2000 1100:2200 1200:2300"
	must_equal "$(loops)" "img 0 0 1 0"
	let_in setpriv --reuid 1000 --regid 2000 --clear-groups touch m/file
	must_equal "$(owner n/file)" 1100:2200
	must_fail 1 "Read-only" rm o/file
	capture $MI -v -u m o
	[[ $stderr == *" stays: it is mounted on '$SCRATCH/n', too"* ]] || tell "not told"
	capture $MI -v -u n
	[[ $stderr == *" is free again"* ]] || tell "not told"
	must_equal "$(loops)" ""
}

@test "parts that overlap, and writers beside readers, are refused" {
	cat img img >two
	must_work $MI $MAP -o offset=16M two m
	# Beside it there is room.
	must_work $MI $MAP -o sizelimit=16M two n
	must_equal "$(loops)" $'two 0 16777216 1 0\ntwo 16777216 0 1 0'
	must_fail 1 "it shows another part of it (offset" $MI $MAP two o
	must_fail 1 "it shows another part of it (offset 16777216, size limit 0) that overlaps" \
		$MI $MAP -o offset=16M,sizelimit=8M two o
	must_work $MI -u m n
	must_work $MI $MAP -o ro img m
	must_fail 1 "that device is read-only" $MI $MAP img n
	must_work $MI $MAP -o ro img n
	must_work $MI $MAP -o ro,sizelimit=16M img o
	must_equal "$(loops)" $'img 0 0 1 1\nimg 0 16777216 1 1'
}

@test "a device that somebody attached is used, and not freed" {
	LOOPS=$(losetup -f --show "$PWD/img")
	must_work $MI $MAP img m
	must_equal "$(findmnt -no SOURCE -M m)" "$LOOPS"
	must_work $MI -u m
	must_equal "$(loops)" "img 0 0 0 0"
}

@test "a write protection that an earlier user left on the device does not stay" {
	local device got
	must_work $MI $MAP img m
	device=$(findmnt -no SOURCE -M m)
	must_work $MI -u m
	blockdev --setro "$device"
	capture $MI $MAP img m
	got=$(blockdev --getro "$device")
	blockdev --setrw "$device"
	must_equal "$status $(owner m)" "0 1000:2000"
	# If another program was faster to take it, this proves nothing.
	[ "$(findmnt -no SOURCE -M m)" != "$device" ] || must_equal "$got" 0
}

@test "who keeps a loop device from being freed is named" {
	must_work $MI $MAP img m
	exec 7<"$(findmnt -no SOURCE -M m)"
	capture $MI -u m
	must_equal "$status" 0
	[[ $stderr == *"/dev/loop"*" is not free yet: process "*"$$ ("* ]] ||
		tell "the process is not named"
	exec 7<&-
	must_equal "$(loops)" ""
	must_work $MI $MAP img m
	unshare -m --propagation private sh -c 'touch ready; sleep 300' 7<&- &
	while [ ! -e ready ]; do sleep 0.05; done
	capture $MI -u m
	[[ $stderr == *"another mount namespace"* ]] || tell "the namespace is not named"
	pkill -P $! || :
	kill $! 2>/dev/null || :
	wait $! 2>/dev/null || :
}

@test "many at once: images get devices of their own, and one image one device" {
	local i
	for i in 1 2 3 4; do mkdir "a$i" "b$i"; cp img "img$i"; done
	for i in 1 2 3 4; do
		$MI $MAP img "a$i" 2>>errors &
		$MI $MAP "img$i" "b$i" 2>>errors &
	done
	wait
	must_equal "$(cat errors)" ""
	must_equal "$(loops)" "$(printf 'img%s 0 0 1 0\n' '' 1 2 3 4)"
	must_equal "$(mounts)" 8
	must_work $MI -u a1 a2 a3 a4 b1 b2 b3 b4
	must_equal "$(loops)" ""
}

@test "between looking for a loop device and making one, nobody else makes one" {
	local i lock
	strace -f -qq -o trace -P /dev/loop-control -e inject=openat:delay_enter=1500000 \
		$MI $MAP img m &
	for ((i = 0; i < 3000; i++)); do
		lock=/run/shiftbox/loop-$(stat -c %Hd:%Ld-%i img)
		lock=$(stat -c %i "$lock" 2>/dev/null || echo none)
		! grep -q "FLOCK .*:$lock " /proc/locks || break
		sleep 0.02
	done
	[ "$i" -lt 3000 ] || say "no lock was taken"
	must_work $MI $MAP img n
	wait
	grep -q DELAYED trace
	must_equal "$(loops) $(mounts)" "img 0 0 1 0 2"
}

@test "not a byte of an image is changed that must not be" {
	local sum
	sum=$(sha256sum <img)
	must_work $MI $MAP -o ro img m
	must_work $MI -u m
	must_equal "$(sha256sum <img)" "$sum"
	# A file that cannot be written to.
	mkdir locked
	mount --bind . locked
	mount -o remount,bind,ro locked
	capture $MI $MAP locked/img m
	must_equal "$status" 0
	[[ $stderr == *"'locked/img': cannot be written to: it is mounted read-only"* ]] ||
		tell "not told"
	must_work $MI -u m
	must_fail 1 "cannot open it for writing" $MI $MAP -o rw locked/img m
	umount locked
	must_equal "$(sha256sum <img)" "$sum"
}

@test "a journal that must be replayed, on an image that must not be written to" {
	local type option
	truncate -s 300M xfs
	mkfs.xfs -q xfs
	mv img ext4
	for type in ext4 xfs; do
		mount -o loop $type n
		touch n/file
		sync -f n
		cp --sparse=always $type dirty
		umount n
		option=$([ $type = xfs ] && echo norecovery || echo noload)
		must_fail 1 "cannot mount the filesystem ($type): Read-only file system" \
			$MI $MAP -o ro dirty m
		stderr_has "the kernel says: " ... " unavailable, cannot proceed" ... \
			"read it as it is: -o ro,$option"
		must_equal "$(loops)" ""
		must_work $MI $MAP -o ro,$option dirty m
		must_equal "$(owner m)" 1000:2000
		must_work $MI -u m
		must_work $MI $MAP dirty m
		must_equal "$(owner m/file)" 1000:2000
		must_work $MI -u m
	done
}

@test "a damaged filesystem is told in the kernel's words, and leaves nothing" {
	cp img short
	truncate -s 10M short
	must_fail 1 "bad geometry: block count" $MI $MAP short m
	cp img gone
	dd if=/dev/zero of=gone bs=1024 seek=1 count=1 conv=notrunc status=none
	must_fail 1 "libblkid finds no signature" $MI $MAP gone m
	capture $MI $MAP -t ext4 gone m
	must_equal "$status" 1
	stderr_has "libblkid reports that it contains no known filesystem" ... "EXT4-fs (loop" ... \
		"Can't find ext4 filesystem"
	# s_checksum, at the end of the superblock
	cp img wrong
	printf 'XXXX' | dd of=wrong bs=1 seek=$((1024 + 1020)) conv=notrunc status=none
	must_fail 1 "with invalid superblock checksum" $MI $MAP wrong m
	# What libblkid itself sees of it: the superblock of a NILFS2, with 280 bytes and no
	# checksum.
	truncate -s 8M wrong.nilfs2
	printf '\064\064\030\001' | dd of=wrong.nilfs2 bs=1 seek=1030 conv=notrunc status=none
	must_fail 1 "'wrong.nilfs2': the checksum of its superblock is wrong" \
		$MI $MAP wrong.nilfs2 m
	must_equal "$(loops)$(mounts)" 0
}

@test "a filesystem that can only be read, and a copy of a mounted one" {
	truncate -s 120M seed
	mkfs.btrfs -q seed >/dev/null
	btrfstune -S 1 seed
	must_fail 1 "mount it read-only: -o ro" $MI $MAP seed m
	must_work $MI $MAP -o ro seed m
	must_work $MI -u m
	truncate -s 300M one
	mkfs.xfs -q one
	cp --sparse=always one two
	must_work $MI $MAP one m
	must_fail 1 "-o nouuid permits to mount both" $MI $MAP two n
	must_work $MI $MAP -o nouuid two n
	must_equal "$(owner m) $(owner n)" "1000:2000 1000:2000"
}

# --- fstab ----------------------------------------------------------------------------------------

# Each argument is a line; DIR stands for the scratch directory.
fstab() {
	printf '%s\n' "${@//DIR/$SCRATCH}" >fstab
}

@test "lines with images and filesystems, once and again" {
	local uuid
	cat img img >two
	cp img other
	LOOPS=$(losetup -f --show "$PWD/other")
	tune2fs -U random other >/dev/null
	uuid=$(blkid -po value -s UUID "$LOOPS")
	mkdir p
	fstab 'DIR/two DIR/m shiftbox loop,offset=16M,sizelimit=16M,map=0:1001:1,nosuid 0 0' \
		'DIR/img DIR/n ext4 X-mount.idmap=b:0:1002:1,ro,noload 0 0' \
		"UUID=$uuid DIR/o auto X-mount.idmap=b:0:1003:1,commit=9 0 0" \
		'scratch DIR/p tmpfs X-mount.idmap=b:0:1004:1,size=1M 0 0'
	must_work $MI -a -T fstab
	must_equal "$(owner m) $(owner n) $(owner o) $(owner p)" \
		"1001:1001 1002:1002 1003:1003 1004:1004"
	must_equal "$(loops)" $'img 0 0 1 1\nother 0 0 0 0\ntwo 16777216 16777216 1 0'
	must_work $MI -a -T fstab
	must_equal "$(mounts)" 4
	capture $MI --json -a -T fstab
	must_equal "$(jq -c .already <<<"$output" | sort | uniq -c | tr -s ' ')" " 4 true"
	must_work $MI -n -T fstab "$SCRATCH/o"
	must_equal "$output" "'$SCRATCH/o' is mounted already, as it should be"
	# Another map, other flags, another part of the file.
	sed -i.old s/1003/1013/ fstab
	must_fail 1 "is mounted already, with another map" $MI -a -T fstab
	sed s/nosuid/nodev/ fstab.old >fstab
	must_fail 1 "there: rw,nosuid; wanted: rw,nodev" $MI -a -T fstab
	sed s/offset=16M,// fstab.old >fstab
	must_work $MI -a -T fstab
	must_equal "$(loops | grep -c two)" 2
	must_work $MI -u m
	must_work $MI -a -u -T fstab.old
	must_equal "$(mounts)" 0
	must_equal "$(loops)" "other 0 0 0 0"
}

@test "a table that fails leaves no mount and no loop device" {
	cp img other
	fstab 'DIR/img DIR/m shiftbox loop,map=0:1001:1 0 0' \
		'DIR/other DIR/n ext4 X-mount.idmap=0:1001:1 0 0' \
		'DIR/none DIR/o ext4 X-mount.idmap=0:1:1 0 0'
	must_fail 1 "cannot open the source" $MI -a -T fstab
	must_equal "$(mounts)$(loops)" 0
	sed -i 's/ext4 X-mount.idmap=0:1:1/ext4 X-mount.idmap=0:1:1,nofail/' fstab
	capture $MI -a -T fstab
	must_equal "$status $(mounts)" "0 2"
	must_work $MI -a -u -T fstab
	# An image on a filesystem of another line, and a target on it: by then it is there.
	mkdir inner
	mount -o loop img n
	mkdir n/on
	cp other n/inner
	umount n
	fstab 'DIR/n/inner DIR/n/on shiftbox map=0:1002:1 0 0' \
		'DIR/img DIR/n shiftbox map=0:1001:1 0 0'
	must_work $MI -a -T fstab
	must_equal "$(owner n) $(owner n/on)" "1001:1001 1002:1002"
	must_work $MI -a -u -T fstab
	must_equal "$(mounts)$(loops)" 0
	fstab 'DIR/img DIR/m shiftbox X-mount.idmap=0:1001:1 0 0'
	must_fail 1 "X-mount.idmap= is not for lines of type shiftbox" $MI -a -T fstab
}

@test "mount -a and umount know lines with images, by mount.shiftbox" {
	mkdir up work
	mount -t overlay overlay /sbin \
		-o "lowerdir=/sbin,upperdir=$SCRATCH/up,workdir=$SCRATCH/work"
	ln -s "$SHIFTBOX" /sbin/mount.shiftbox
	cat img img >two
	fstab 'DIR/two DIR/m shiftbox loop,offset=16M,sizelimit=16M,map=0:1001:1,nosuid 0 0' \
		'DIR/img DIR/n shiftbox map=0:1002:1,ro,noload 0 0' \
		'scratch DIR/o shiftbox type=tmpfs,size=1M,map=0:1003:1 0 0'
	must_work mount -T "$SCRATCH/fstab" -a
	must_equal "$(owner m) $(owner n) $(owner o)" "1001:1001 1002:1002 1003:1003"
	must_work mount -T "$SCRATCH/fstab" -a
	must_equal "$(grep -cE " $SCRATCH/[mno] " /proc/self/mountinfo)" 3
	must_work $MI -a -T fstab
	must_equal "$(grep -cE " $SCRATCH/[mno] " /proc/self/mountinfo)" 3
	must_work umount "$SCRATCH/m" "$SCRATCH/n" "$SCRATCH/o"
	must_equal "$(loops)" ""
	umount -l /sbin
}

@test "an image for one command" {
	must_work $MI -e $MAP img m -- stat -c %u:%g m
	must_equal "$output" 1000:2000
	must_equal "$(mounts)$(loops)" 0
}

# --- faults ---------------------------------------------------------------------------------------

state() {
	grep " $SCRATCH/" /proc/self/mountinfo | cut -d' ' -f4-
	loops
	find "$SCRATCH" -xdev -printf '%p %U:%G %m\n' | sort
}

# For each_call.
undo() {
	must_work $MI -u m
}

@test "each call of a mount fails in turn" {
	mount -o loop img n
	mkdir n/dir
	umount n
	local mount="$MI $MAP -o subdir=dir,ro,noload,nosuid img m"
	each_call fsopen EPERM 1 $mount
	each_call fsconfig EIO 4 $mount
	each_call fsmount EPERM 1 $mount
	each_call clone3,clone,unshare ENOSPC 1 $mount
	each_call mount_setattr EPERM 2 $mount
	OVERCOME=1 each_call openat2 EACCES 2 $mount # a look at the other loop devices
	each_call open_tree EPERM 1 $mount
	each_call fstatfs EIO 1 $mount
	each_call move_mount EACCES 1 $mount
}

# How many ioctl(2) come before those of the new loop device depends on what else is attached.
@test "each ioctl of a loop device fails in turn; one that another program takes is no failure" {
	local n before failed=0 retried=0
	before=$(state)
	for ((n = 1; ; n++)); do
		capture inject "ioctl:EIO:$n" $MI $MAP -o ro,noload img m
		[ "$status" != 99 ] || break
		[ "$status" != 1 ] || [[ $stderr == *"cannot "*" loop device"* ]] ||
			tell "the step is not named"
		[ "$status" = 0 ] && must_work $MI -u m || failed=$((failed + 1))
		must_equal "$(state)" "$before"
	done
	must_work $MI -u m
	[ "$failed" -ge 3 ] ||
		say "only $failed failures, not of each ioctl"
	for ((n = 1; retried < 1; n++)); do
		capture inject "ioctl:EBUSY:$n" $MI -v $MAP -o ro,noload img m
		[ "$status" != 99 ] || say "nothing was retried"
		[[ $stderr != *"was taken by another program: trying the next one"* ]] || retried=1
		must_equal "$status" 0
		must_work $MI -u m
	done
	must_fail 1 "other programs took each of 64 free loop devices first" \
		inject "ioctl:EBUSY:$n+" $MI $MAP img m
	must_equal "$(state)" "$before"
}

@test "killed at any step, it leaves nothing" {
	local call
	for call in fsopen fsconfig fsmount mount_setattr openat2 move_mount; do
		capture strace -f -qq -o /dev/null -e "inject=$call:signal=KILL:when=1" \
			$MI $MAP -o ro,noload img m
		[ ! -d m/lost+found ] || umount m
		must_equal "$call $(loops)$(mounts)" "$call 0"
	done
}

@test "on a kernel before 6.15, that tells no maps" {
	local old="$TESTS/fixtures/nosys 457,467"
	must_work $old $MI $MAP img m
	must_equal "$(owner m)" 1000:2000
	must_work $old $MI --once $MAP img m
	must_equal "$(mounts)" 1
	must_fail 1 "there: rw; wanted: ro" $old $MI --once $MAP -o ro img m
	must_work $old $MI -u m
	must_equal "$(loops)" ""
	must_fail 1 "the filesystem (ramfs) does not support" $old $MI $MAP -t ramfs ramfs m
}
