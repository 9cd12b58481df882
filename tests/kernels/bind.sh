# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Binds, and which filesystems can be mapped since when.

bind() {
	sample s
	works $MI -m u:0:100000:65536 -m g:0:300000:1000 s t
	same "$(owner t) $(owner t/dir) $(owner t/file)" "100000:300000 100005:300007 100033:300044"
	same "$(owner t/high)" 65534:65534
	same "$(owner s/file)" 33:44
	grep " $PWD/t .*idmapped" /proc/self/mountinfo
	works $MI -u t
	works $MI -m 33:1000:1 -m g:44:2000:1 -o mkdir s/file f/g
	same "$(owner f/g)" 1000:2000
	works $MI -u f/g
}
check "a bind shows the disk's owners through the map" bind

create() {
	sample s
	works $MI -m u:5:1000:1 -m g:7:1000:1 s/dir t
	as 1000 touch t/new
	same "$(owner s/dir/new)" 5:7
	refused "too large" sh -c 'touch t/root'
	works $MI -u t
}
check "what is created through the map has disk ids" create

flags() {
	sample s
	works $MI -m +100000 -o ro,nosuid,nodev,noexec,noatime s t
	grep " $PWD/t ro,nosuid,nodev,noexec,noatime" /proc/self/mountinfo
	refused "Read-only" sh -c 'touch t/x'
	works $MI -u t
	works $MI -m +100000 -o nosymfollow,shared s t
	grep " $PWD/t .*nosymfollow.* shared:" /proc/self/mountinfo
	works $MI -u t
}
check "flags and propagation are set and read back" flags

mapped_already() {
	sample s
	works $MI -m +100000 s t
	$MI -v --json t u >out 2>err
	said "its map is kept"
	said '"map_change":"kept"'
	same "$(owner u/dir)" 100005:100007
	works $MI -u u
	if has 6.15; then
		warns "which the map does not cover" $MI -m 5:1:1 -m g:7:2:1 t u
		same "$(owner u/dir)" 1:2
		works $MI -u u
		works $MI --json -m none t u
		said '"map_change":"dropped"'
		same "$(owner u/dir)" 5:7
		works $MI -u u
	else
		refused "changing that needs Linux 6.15" $MI -m +200000 t u
		refused "changing that needs Linux 6.15" $MI -m none t u
	fi
	works $MI -u t
}
check "a map is kept, and replaced or dropped where the kernel can" mapped_already

on_tmpfs() {
	mkdir t disk
	mount -t tmpfs none disk
	sample disk/s
	if has 6.3; then
		works $MI -m +100000 disk/s t
		same "$(owner t/file)" 100033:100044
		works $MI -u t
	else
		refused "the filesystem (tmpfs) can be ID-mapped since Linux 6.3" \
			$MI -m +100000 disk/s t
		said "and this kernel is older"
	fi
	umount disk
}
check "tmpfs is mapped since 6.3" on_tmpfs

on_squashfs() {
	mkdir t disk
	mount -t squashfs -o loop /image.squashfs disk
	if has 6.2; then
		works $MI -m +100000 disk t
		same "$(owner t/file)" 100005:100007
		works $MI -u t
	else
		refused "the filesystem (squashfs) can be ID-mapped since Linux 6.2" \
			$MI -m +100000 disk t
		said "and this kernel is older"
	fi
	umount disk
}
[ ! -e /image.squashfs ] || check "squashfs is mapped since 6.2" on_squashfs

on_xfs() {
	mkdir t disk
	truncate -s 300M /tmp/disk.xfs
	mkfs.xfs -q /tmp/disk.xfs
	mount -t xfs -o loop /tmp/disk.xfs disk
	sample disk/s
	works $MI -m +100000 disk/s t
	same "$(owner t/file)" 100033:100044
	works $MI -u t
	umount disk
	rm /tmp/disk.xfs
}
check "xfs is mapped" on_xfs

on_vfat() {
	mkdir t
	truncate -s 16M img
	mkdosfs img >/dev/null
	works $MI -m u:5:1000:1 -m g:7:2000:1 -o uid=5,gid=7 img t
	as 1000:2000 sh -c 'echo text >t/new'
	same "$(owner t) $(owner t/new) $(cat t/new)" "1000:2000 1000:2000 text"
	works $MI -u t
	works $MI -m 5:6:1 -o ro,uid=5,gid=5 img t
	same "$(owner t/new)" 6:6
	works $MI -u t
}
check "vfat is mapped: all its files have one owner" on_vfat

never() {
	mkdir t
	refused "the filesystem (proc) does not support ID-mapped mounts" $MI -m +100000 /proc t
	refused "the filesystem (sysfs) does not support" $MI -m +100000 /sys t
}
check "what no kernel maps is refused by name" never

# /disk is ext4, so that mounts below it can be mapped on every kernel by binding parts of it.
tree() {
	sample s
	mkdir s/below s/proc other
	: >other/file && chown 6:6 other/file
	mount --bind other s/below
	works $MI -m +100000 -o rbind,ro s t
	same "$(owner t/below/file) $(mounts)" "100006:100006 3"
	refused "something is mounted below it" $MI -u t
	works $MI -u -R t
	mount -t proc none s/proc
	refused "'proc' (proc): the filesystem (proc) does not support" $MI -m +100000 -o rbind s t
	works $MI --json -m +100000 -o rbind,skip-unsupported s t
	said '"left_out":'
	same "$(owner t/below/file) $(mounts) $(ls t/proc)" "100006:100006 4 "
	works $MI -u -R t
	# A mount below that has a map already.
	works $MI -m +200000 other u
	mount --bind u s/dir
	if has 6.15; then
		umount s/proc
		works $MI -m +100000 -o rbind s t
		same "$(owner t/dir/file)" 100006:100006
	else
		works $MI -m +100000 -o rbind,skip-unsupported s t
		refused "it is ID-mapped already, and changing that needs Linux 6.15" \
			$MI -m +100000 -o rbind s u
		said "'dir' (ext4): it is"
		umount s/proc
	fi
	works $MI -u -R t
	umount s/dir s/below u
}
check "a tree of mounts is bound, with what cannot be named or left out, and taken off" tree

image() {
	mkdir t
	truncate -s 8M img
	mke2fs -F img >/dev/null 2>&1
	works $MI -m +100000 -t ext4 img t
	same "$(owner t) $(grep -c " $PWD/t .*idmapped.* ext4 /dev/loop" /proc/self/mountinfo)" \
		"100000:100000 1"
	works $MI -u t
	same "$(losetup -a | grep -c "$PWD/img")" 0
	truncate -s 1M other
	refused "" $MI -m +100000 other t
}
check "an image of a filesystem is mounted, mapped, and its loop device freed" image
