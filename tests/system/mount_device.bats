# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# mount-idmapped: filesystems of devices, of files and of no device. What is found in them, and what
# their drivers say.

load lib

need root
need loop
need kernel 5.19
need prog mkfs.ext4 mkfs.xfs mkfs.btrfs mkfs.erofs mksquashfs mkfs.vfat mkswap losetup blkid jq \
	python3 strace

MI="$SHIFTBOX mount-idmapped"
PATH=$PATH:/usr/sbin:/sbin

test_setup() {
	mkdir m n
}

test_teardown() {
	free_loops
}

ext4() {
	truncate -s "${2:-16M}" "$1"
	mkfs.ext4 -q -O ^has_journal "${@:3}" "$1"
}

# The tree that each image gets, as disk ids.
fill() {
	install -d -o 5 -g 7 "$1/dir"
	install -o 6 -g 9 -m 640 /dev/null "$1/dir/file"
	install -o 70000 -g 70001 -m 644 /dev/null "$1/high"
}

as() {
	let_in setpriv --reuid "${1%:*}" --regid "${1#*:}" --clear-groups --inh-caps=-all \
		--bounding-set=-all "${@:2}"
}

seen_ids() {
	must_equal "$(owner m/dir)" 1000:3000
	must_equal "$(owner m/dir/file)" 1001:3002
	must_equal "$(owner m/high)" 65534:65534
}

MAP="-m u:5:1000:10 -m g:7:3000:10"

@test "a writable filesystem: seen ids through the map, disk ids below it" {
	local type
	for type in ext4 xfs btrfs; do
		truncate -s "$([ $type = xfs ] && echo 300M || echo 120M)" "$type.img"
		mkfs.$type -q "$type.img" >/dev/null
		mount -o loop "$type.img" n
		fill n
		umount n
		must_work_but misfit $MI $MAP "$type.img" m
		must_equal "$output" ""
		seen_ids
		as 1000:3005 touch m/dir/new
		must_equal "$(owner m/dir/new)" 1000:3005
		must_fail 1 "too large" touch m/dir/root
		must_work $MI -u m
		mount -o loop "$type.img" n
		must_equal "$(owner n/dir/new) $(owner n/dir/file) $(owner n/high)" \
			"5:12 6:9 70000:70001"
		umount n
	done
}

@test "a read-only filesystem is mounted read-only, and says so only when asked" {
	local type
	mkdir tree
	fill tree
	mkfs.erofs --quiet erofs.img tree
	mksquashfs tree squashfs.img -quiet -no-progress >/dev/null
	for type in erofs squashfs; do
		must_work_but misfit $MI $MAP --json "$type.img" m
		must_equal "$(jq -rc '[.type, .read_only, .map]' <<<"$output")" \
			'["'$type'",true,"u:5:1000:10;g:7:3000:10"]'
		seen_ids
		must_fail 1 "Read-only" as 1000:3000 touch m/dir/new
		must_work $MI $MAP --once "$type.img" m
		must_equal "$(mounts)" 1
		must_equal "$(losetup -nO RO "$(findmnt -no SOURCE -M m)" | tr -d ' ')" 1
		must_work $MI -u m
		must_fail 1 "a filesystem of this type ($type) is read-only by design" \
			$MI $MAP -o rw "$type.img" m
	done
}

@test "FAT has one owner for all files, and it is mapped too, where the kernel knows FAT" {
	truncate -s 16M vfat.img
	mkfs.vfat vfat.img >/dev/null
	if grep -qw vfat /proc/filesystems || modprobe -q vfat; then
		must_work $MI $MAP -o uid=5,gid=7 vfat.img m
		must_equal "$(owner m)" 1000:3000
	else
		must_fail 1 "this kernel does not support " \
			$MI $MAP vfat.img m
	fi
}

@test "a filesystem in memory" {
	must_work $MI $MAP --json -t tmpfs -o size=64K,mode=751,uid=5,gid=7,nosuid scratch m
	must_equal "$(jq -rc '[.type, .source, .device, .flags, .driver_options]' <<<"$output")" \
		'["tmpfs","scratch",null,"rw,nosuid,private","size=64K,mode=751,uid=5,gid=7"]'
	must_equal "$(owner m) $(stat -c %a m)" "1000:3000 751"
	as 1000:3000 touch m/file
	must_equal "$(owner m/file)" 1000:3000
	[[ $(findmnt -no OPTIONS -M m) == rw,nosuid,*idmapped*size=64k,mode=751* ]]
	must_fail 1 "No space left" dd if=/dev/zero of=m/file bs=128k count=1
	must_fail 1 "tmpfs: Bad value for 'size'" $MI $MAP -t tmpfs -o size=much scratch n
	must_fail 2 "option 'loop' is for devices and files" $MI $MAP -t tmpfs -o loop scratch n
}

@test "subvolumes of one btrfs, each under a map of its own" {
	truncate -s 120M img
	mkfs.btrfs -q img >/dev/null
	mount -o loop img n
	btrfs -q subvolume create n/one
	btrfs -q subvolume create n/two,a
	install -o 5 -g 7 /dev/null n/one/file
	install -o 5 -g 7 /dev/null n/two,a/file
	umount n
	must_work_but misfit $MI -m u:5:1000:1 -m g:7:2000:1 -o subvol=one img m
	must_work_but misfit $MI -m u:5:1100:1 -m g:7:2200:1 -o 'subvol=two\,a' img n
	must_equal "$(owner m/file) $(owner n/file)" "1000:2000 1100:2200"
	must_equal "$(findmnt -no SOURCE m | cut -d[ -f1)" "$(findmnt -no SOURCE n | cut -d[ -f1)"
	# Each is known again, and not taken for the other.
	must_work $MI --once -m u:5:1000:1 -m g:7:2000:1 -o subvol=one img m
	must_equal "$(mounts)" 2
	must_fail 1 "with another map" \
		$MI --once -m u:5:1000:1 -m g:7:2000:1 -o 'subvol=/two\,a/' img n
	must_work $MI -u m n
	must_fail 1 "btrfs: " $MI -m +5 -o subvolid=x img m
}

@test "types that cannot be mapped are named, with what to do" {
	local type
	for type in ramfs proc sysfs devpts mqueue; do
		must_fail 1 "the filesystem ($type) does not support ID-mapped mounts" \
			$MI -m +5 -t $type $type m
		[[ $stderr == *"try: "* ]] || tell "no way out"
	done
	must_fail 1 "use tmpfs, which can be ID-mapped since Linux 6.3" $MI -m +5 -t ramfs ramfs m
	must_fail 2 "the source overlay needs its layers" $MI -m +5 -t overlay overlay m
	must_fail 1 "this kernel does not support nonsuch" $MI -m +5 -t nonsuch nonsuch m
	must_equal "$(mounts)" 0
	# Without a map they are mounts like any other.
	must_work $MI -t ramfs ramfs m
}

@test "ext2 and ext3 as a type are mounted by the driver that can be mapped, if there is a map" {
	local type
	truncate -s 16M ext2 ext3
	mkfs.ext2 -q ext2
	mkfs.ext3 -q ext3
	for type in ext2 ext3; do
		must_work $MI -m 0:1001:1 -t $type $type m
		must_equal "$type $(owner m) $(findmnt -no FSTYPE -M m)" "$type 1001:1001 ext4"
		must_work $MI -u m
		printf '%s\n' "$SCRATCH/$type $SCRATCH/m $type X-mount.idmap=b:0:1001:1 0 0" \
			"$SCRATCH/$type $SCRATCH/n shiftbox type=$type,map=0:1002:1 0 0" >fstab
		must_work $MI -a -T fstab
		must_equal "$type $(owner m) $(owner n)" "$type 1001:1001 1002:1002"
		must_work $MI -a -T fstab
		must_equal "$(mounts)" 2
		must_work $MI -a -u -T fstab
	done
}

@test "ext2 is mounted by the driver that can be mapped" {
	truncate -s 8M img
	mkfs.ext2 -q img
	capture $MI -v -m u:0:1000:1 -m g:0:2000:1 img m
	[[ $stderr == *"mounted by a driver of another name: ext4"* ]] ||
		tell "not told"
	must_equal "$(owner m) $(findmnt -no FSTYPE -M m)" "1000:2000 ext4"
}

@test "what is no filesystem is refused by name" {
	truncate -s 8M swap zero luks ambivalent
	mkswap -q swap
	must_fail 1 "contains swap space, which is not a filesystem" $MI -m +5 swap m
	must_fail 1 "contains no known filesystem" $MI -m +5 zero m
	printf 'LUKS\xba\xbe\0\1' | dd of=luks conv=notrunc status=none
	must_fail 1 "contains encrypted data (LUKS), which is not a filesystem" $MI -m +5 luks m
	[[ $stderr == *"cryptsetup open"* ]] || tell "no way out"
	python3 - <<-'P'
		import struct, zlib
		def crc(b):
		    c = 0xf597a6cf
		    for x in b:
		        c ^= x
		        for _ in range(8): c = c >> 1 ^ (0xedb88320 if c & 1 else 0)
		    return c
		label = b"\x20\0\0\0LVM2 001" + b"A" * 32 + b"\0" * 448
		head = b"LABELONE" + struct.pack("<Q", 1)
		b = bytearray(8 << 20)
		b[512:1024] = head + struct.pack("<I", crc(label)) + label
		open("lvm", "wb").write(b)
		raid = bytearray(8 << 20)
		raid[4096:4168] = struct.pack("<IIII16s32sQ", 0xa92b4efc, 1, 0, 0, b"u" * 16,
		    b"name", 0)
		raid[4096 + 144:4096 + 152] = struct.pack("<Q", 8)
		open("raid", "wb").write(raid)
	P
	must_fail 1 "contains a physical volume of LVM" $MI -m +5 lvm m
	must_fail 1 "contains a member of a RAID" $MI -m +5 raid m
	ext4 ambivalent 8M
	mkdir tree
	mksquashfs tree other -quiet -no-progress >/dev/null
	dd if=other of=ambivalent bs=96 count=1 conv=notrunc status=none
	must_fail 1 "there are ext4, squashfs" $MI -m +5 ambivalent m
	capture $MI -m +5 -t ext4 ambivalent m
	must_equal "$status" 0
	stderr_has "the type that was asked for is ext4, but libblkid reports that it" \
		"cannot tell" ... "ext4, squashfs"
	must_work $MI -u m
	must_equal "$(mounts)" 0
}

@test "what is too short, and places that are not there" {
	truncate -s 511 tiny
	: >empty
	ext4 img
	must_fail 1 "is too short for a filesystem: 511 bytes" $MI -m +5 tiny m
	must_fail 1 "is too short for a filesystem: 0 bytes" $MI -m +5 empty m
	must_fail 1 "offset=1073741824 is beyond its end (bytes in it: 16777216)" \
		$MI -m +5 -o offset=1G img m
	must_fail 1 "sizelimit=33554432 extends beyond its end" $MI -m +5 -o sizelimit=32M img m
	must_fail 1 "is too short for a filesystem: 100 bytes" $MI -m +5 -o sizelimit=100 img m
	must_fail 1 "libblkid finds no signature at this offset" $MI -m +5 -o offset=4K img m
	must_fail 1 "cannot open the source: No such file" $MI -m +5 -o loop nothing m
	must_fail 1 "is a directory, neither a block device nor a file" $MI -m +5 -t ext4 n m
	must_fail 1 "cannot open the source: No such file" $MI -m +5 /dev/no-such-device m
}

@test "-t is obeyed, and a contradiction told" {
	ext4 img
	capture $MI -m +5 -t xfs img m
	must_equal "$status" 1
	stderr_has "the type that was asked for is xfs, but libblkid finds ext4" ... \
		"cannot mount the filesystem (xfs)" ... "the kernel says: " ... XFS ... \
		"try:  omit the type: libblkid finds ext4"
	must_fail 1 "cannot mount the filesystem (nonsense)" $MI -m +5 -t nonsense img m
	stderr_has "try:  omit the type: libblkid finds ext4"
	# Relatives do not contradict each other.
	truncate -s 8M old
	mkfs.ext2 -q old
	must_work $MI -m +5 -t ext4 old m
	must_work $MI -u m
	must_fail 2 "--type says 'xfs', and -o says 'ext4'" $MI -m +5 -t xfs -o type=ext4 img n
	must_work $MI -m +6 -t auto -o ro img n
	must_equal "$(owner n)" 6:6
}

# A table of two partitions, the first with an ext4 of 16 MB at 1 MiB.
disk() {
	ext4 part 16M -L "${2:-}"
	python3 - "$1" <<-'P'
		import struct, sys
		fs = open("part", "rb").read()
		b = bytearray((2 << 20) + len(fs))
		def entry(i, kind, start, n):
		    b[446 + 16 * i:462 + 16 * i] = struct.pack("<B3sB3sII", 0, b"\0" * 3, kind,
		        b"\0" * 3, start, n)
		b[440:444] = b"\xef\xbe\xad\xde"
		entry(0, 0x83, 2048, len(fs) // 512)
		entry(1, 0x82, 2048 + len(fs) // 512, 2048)
		b[510:512] = b"\x55\xaa"
		b[1 << 20:(1 << 20) + len(fs)] = fs
		open(sys.argv[1], "wb").write(b)
	P
	rm part
}

@test "of a table of partitions, the place of each is shown and works" {
	disk img
	must_fail 1 "contains a table of partitions (dos) instead of a filesystem" $MI -m +5 img m
	stderr_has "partition 1: -o offset=1048576,sizelimit=16777216; 2: -o" \
		"offset=17825792,sizelimit=1048576"
	must_work $MI -m u:0:1000:1 -m g:0:2000:1 -o offset=1048576,sizelimit=16777216 img m
	must_equal "$(owner m)" 1000:2000
	LOOPS=$(losetup -f --show "$PWD/img")
	must_fail 1 "name the device of one of them" $MI -m +5 "$LOOPS" n
}

@test "devices by UUID=, LABEL=, PARTUUID=, and by a link" {
	local uuid node tag
	disk img rooty
	LOOPS=$(losetup -Pf --show "$PWD/img")
	node=${LOOPS}p1
	# Not every kernel reads such tables.
	[ -b "$node" ] || partx --add --nr 1 "$LOOPS"
	uuid=$(blkid -po value -s UUID "$node")
	for tag in "UUID=$uuid" LABEL=rooty 'LABEL="rooty"' PARTUUID=deadbeef-01; do
		capture $MI -v -m u:0:1000:1 -m g:0:2000:1 "$tag" m
		[ "$status" = 0 ] || tell "$tag"
		[[ $stderr == *"is $node"* ]] || tell "the device is not told"
		must_equal "$(owner m) $(findmnt -no SOURCE -M m)" "1000:2000 $node"
		must_work $MI --once -m u:0:1000:1 -m g:0:2000:1 "$tag" m
		must_work $MI -u m
	done
	ln -s "$node" link
	must_work $MI -m +5 link m
	must_equal "$(findmnt -no SOURCE -M m)" "$node"
	must_fail 1 "no device has this UUID" $MI -m +5 UUID=00000000-0000-0000-0000-000000000001 n
	must_fail 2 "is not a valid tag of a device" $MI -m +5 LABEL= n
	must_equal "$(mounts)" 1
}

@test "partitions of a GPT by PARTUUID= and PARTLABEL=, as operands and in an fstab" {
	need prog sfdisk partx
	local uuid word line
	truncate -s 24M img
	printf 'label: gpt\nsize=8M, name=plain\nsize=8M, name="two words"\n' |
		sfdisk -q img
	LOOPS=$(losetup -Pf --show "$PWD/img")
	[ -b "${LOOPS}p2" ] || partx -a "$LOOPS"
	for n in 1 2; do mkfs.ext4 -q -E root_owner=$n:$n "${LOOPS}p$n"; done
	uuid=$(blkid -po value -s PART_ENTRY_UUID "${LOOPS}p2")
	must_work $MI -m 1:1001:1 PARTLABEL=plain m
	must_equal "$(owner m)" 1001:1001
	must_work $MI -u m
	for word in "PARTUUID=$uuid" 'PARTLABEL=two words' 'PARTLABEL="two words"'; do
		must_work $MI -m 2:1002:1 "$word" m
		must_equal "$word $(owner m)" "$word 1002:1002"
		must_work $MI --once -m 2:1002:1 "$word" m
		must_equal "$(mounts)" 1
		must_work $MI -u m
	done
	for line in "PARTUUID=$uuid" 'PARTLABEL=two\040words'; do
		echo "$line $PWD/m ext4 X-mount.idmap=b:2:1003:1 0 0" >fstab
		for word in "PARTUUID=$uuid" 'PARTLABEL=two words' "${LOOPS}p2" "$PWD/m"; do
			must_work $MI -T fstab "$word"
			must_equal "$line $word $(owner m)" "$line $word 1003:1003"
			must_work $MI -u m
		done
		must_fail 1 "has this source or target" $MI -T fstab PARTLABEL=plain
		must_work $MI -a -T fstab
		must_work $MI -a -u -T fstab
	done
	must_fail 1 "no device has this PARTLABEL" $MI -m +5 PARTLABEL=none m
	must_fail 1 "no device has this PARTUUID" $MI -m +5 "PARTUUID=${uuid%?}x" m
	must_fail 2 "is not a valid tag of a device" $MI -m +5 PARTUUID= m
}

@test "a tag that several devices have is not guessed about" {
	ext4 one 8M -L twice
	cp one two
	LOOPS=$(losetup -f --show "$PWD/one")
	LOOPS="$LOOPS $(losetup -f --show "$PWD/two")"
	must_fail 1 "cannot tell which device is meant: several have it" $MI -m +5 LABEL=twice m
	[[ $stderr == *"${LOOPS% *}"* && $stderr == *"${LOOPS#* }"* ]] || tell "they are not named"
}

@test "a device that is mounted elsewhere, or write-protected" {
	ext4 img
	LOOPS=$(losetup -f --show "$PWD/img")
	# One filesystem, two maps.
	must_work $MI -m u:0:1000:1 -m g:0:2000:1 "$LOOPS" m
	must_work $MI -m u:0:1100:1 -m g:0:2200:1 -o ro --json "$LOOPS" n
	must_equal "$(jq .read_only <<<"$output")" false
	must_equal "$(owner m) $(owner n)" "1000:2000 1100:2200"
	must_fail 1 "Read-only" touch n/file
	must_work $MI -u n
	# Options for the driver come too late.
	capture $MI -m +5 -o commit=77 "$LOOPS" n
	must_equal "$status" 0
	[[ $stderr == *"is mounted already (on '$SCRATCH/m')"*"have no effect: commit=77"* ]] ||
		tell "not told"
	must_work $MI -u n m
	mount -o ro "$LOOPS" n
	must_fail 1 "it is mounted read-only on '$SCRATCH/n', and one filesystem cannot be both" \
		$MI -m +5 "$LOOPS" m
	umount n
	blockdev --setro "$LOOPS"
	must_fail 1 "cannot be mounted writable: the device is write-protected" \
		$MI -m +5 -o rw "$LOOPS" m
	capture $MI -m +5 "$LOOPS" m
	must_equal "$status" 0
	[[ $stderr == *"is write-protected: it is mounted read-only"* ]] || tell "not told"
	must_work $MI -u m
	# Somebody else has it to himself.
	blockdev --setrw "$LOOPS"
	python3 -c 'import os, sys, time
os.open(sys.argv[1], os.O_RDWR | os.O_EXCL); open("held", "w"); time.sleep(30)' "$LOOPS" &
	while [ ! -e held ]; do sleep 0.05; done
	must_fail 1 "something else uses the device" $MI -m +5 "$LOOPS" m
	kill $!
	wait $! || :
}

@test "options go to the driver, and what it does not know is refused in its words" {
	local long
	truncate -s 16M img
	mkfs.ext4 -q img
	must_work $MI -m +5 -o 'commit=9,nobarrier,noatime,nodev' img m
	[[ $(findmnt -no OPTIONS -M m) == rw,nodev,noatime,idmapped,nobarrier,commit=9 ]] ||
		say "$(findmnt -no OPTIONS -M m)"
	must_work $MI -u m
	must_fail 1 "ext4: Unknown parameter 'nonsense'" $MI -m +5 -o nonsense=1 img m
	must_fail 1 "cannot set the option 'commit=often'" $MI -m +5 -o commit=often img m
	long=$(printf '%0300d' 0)
	must_fail 1 "a value must not have more than 255 bytes" \
		$MI -m +5 -o "commit=$long" img m
	must_fail 2 "unknown option 'commit' in -o" $MI -m +5 -o commit=9 n m
	must_fail 2 "option 'X-mount.owner' is not supported" $MI -m +5 -o X-mount.owner=1 img m
	must_fail 2 "the map 'owner:USER' is for directories and files" $MI -m owner:root img m
	must_equal "$(mounts)" 0
}

@test "a directory of a filesystem, and nothing above it" {
	ext4 img
	mount -o loop img n
	install -d -o 5 -g 7 n/a n/a/b
	install -o 5 -g 7 /dev/null n/a/b/file
	ln -s a n/link
	umount n
	# The map suits the directory, if not the root of the filesystem.
	must_work $MI -m u:5:1000:1 -m g:7:2000:1 -o subdir=a/b,nosuid img m
	must_equal "$(owner m/file)" 1000:2000
	must_equal "$(awk -v d="$SCRATCH/m" '$5 == d { print $4, $6 }' /proc/self/mountinfo)" \
		"/a/b rw,nosuid,relatime,idmapped"
	must_work $MI --once -m u:5:1000:1 -m g:7:2000:1 -o X-mount.subdir=/a//b/,nosuid img m
	must_equal "$(mounts)" 1
	# Another directory is another mount.
	must_work $MI --once -m u:5:1000:1 -m g:7:2000:1 -o subdir=a,nosuid img m
	must_equal "$(mounts) $(ls m)" "2 b"
	must_work $MI -u m m
	# Before Linux 6.15 a detached mount cannot be cloned.
	capture strace -o /dev/null -e inject=open_tree:error=EINVAL:when=1 \
		$MI -v -m u:5:1000:1 -m g:7:2000:1 -o subdir=a/b img m
	[[ $stderr == *"before Linux 6.15"* ]] || tell "the fallback is not told"
	must_equal "$(owner m/file) $(mounts)" "1000:2000 1"
	must_work $MI -u m
	must_fail 1 "there is a symbolic link on the way" $MI -m +5 -o subdir=link/b img m
	must_fail 1 "it leads out of the filesystem" $MI -m +5 -o subdir=../a img m
	must_fail 1 "Not a directory" $MI -m +5 -o subdir=a/b/file img m
	must_fail 1 "No such file" $MI -m +5 -o subdir=a/c img m
	must_equal "$(mounts)" 0
}

@test "the target tells whether a file is bound or mounted" {
	ext4 img
	touch file
	must_work $MI -m u:0:1000:1 -m g:0:2000:1 img file
	must_equal "$(stat -c '%u:%g %F %s' file)" "1000:2000 regular file 16777216"
	must_work $MI -u file
	must_fail 1 "cannot tell whether the file or the filesystem in it (ext4) is meant" \
		$MI -m +5 -o mkdir img new
	must_work $MI -m u:0:1000:1 -m g:0:2000:1 -o mkdir,loop img new
	must_equal "$(stat -c '%u:%g %F' new)" "1000:2000 directory"
	must_work $MI -u new
	rmdir new
	must_work $MI -m u:0:1000:1 -m g:0:2000:1 -o mkdir,bind img new
	must_equal "$(stat -c '%F' new)" "regular file"
	must_work $MI -u new
	must_fail 1 "cannot mount a file on a directory" $MI -m +5 -o bind img m
	must_fail 2 "option 'offset' is for filesystems of devices and files, not for binds" \
		$MI -m +5 -o bind,offset=1 img m
}

@test "the plan of a filesystem, as text and as JSON" {
	ext4 img
	must_work $MI -n -m u:5:1000:1 -m g:7:2000:1 \
		-o ro,subdir=a,noload,loop,offset=0,sizelimit=8M img m
	must_equal "$output" "attach 'img' to a loop device, read-only, 8388608 bytes of it
mount the filesystem (ext4) of 'img', read-only, with noload: users: disk 5 is seen as 1000; \
groups: disk 7 is seen as 2000 \
(only mounting it shows whether its driver accepts it, and whether the map suits its owners)
take of it the directory 'a' alone
attach it at 'm': ro,private"
	must_work $MI -n --json -m +5 -t tmpfs -o size=1M x m
	must_equal "$(jq -rc '[.driver_options, .map, .steps[]]' <<<"$output")" \
		"$(joined '["size=1M","b:0:5:65536","mount the filesystem (tmpfs) of '"'x'"', ' \
			'with size=1M: disk 0-65535 is seen as 5-65540",' \
			'"attach it at '"'m'"': rw,private"]')"
	must_equal "$(mounts)" 0
	must_equal "$(losetup -nl -j "$PWD/img")" ""
	must_work $MI -n -m +5 -o loop later m
	[[ $output == *"mount the filesystem of 'later', which is not there yet"* ]]
}
