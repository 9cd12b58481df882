# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# mount-idmapped: each number that the kernel may answer with has several causes; the message names
# the one it was. Those that no command line leads to are in tests/unit/mount_probe_test.c; those of
# trees of mounts in mount_tree.bats.

load lib

need root
need kernel 6.3
need prog strace python3

MI="$SHIFTBOX mount-idmapped"

test_setup() {
	mkdir s t
	touch s/file
}

test_teardown() {
	[ -z "${other:-}" ] || kill "$other"
	other=
}

# A process in other namespaces; its pid is in $other.
elsewhere() {
	"$@" sleep 100 3>&- &
	other=$!
	while ! grep -q sleep "/proc/$other/comm"; do sleep 0.01; done
}

why() {
	must_fail 1 "$@"
	[[ $stderr == *"  why:  "*"$1"* ]] || tell "not as the cause"
}

@test "EINVAL: the type of the filesystem" {
	why "the filesystem (proc) does not support ID-mapped mounts in this kernel" \
		$MI -m +1 /proc t
	why "the filesystem (sysfs) does not support ID-mapped mounts in this kernel" \
		$MI -m +1 /sys t
	mount -t ramfs none t
	why "the filesystem (ramfs) does not support ID-mapped mounts in this kernel" $MI -m +1 t s
	umount t
	mkdir l1 l2 && mount -t overlay -o lowerdir=l1:l2 none t
	why "no kernel can ID-map an overlay; its layers can be" $MI -m +1 t s
	umount t
}

@test "EINVAL: the superblock's flag, of a FUSE daemon that does not ask for maps" {
	need fs fuse
	[ -e /dev/fuse ] || skip "needs /dev/fuse"
	"$TESTS/fixtures/fuse-root" t 3>&- &
	other=$!
	while ! grep -q " $SCRATCH/t .*fuse" /proc/self/mountinfo; do sleep 0.01; done
	why "if its daemon asks for it (FUSE_ALLOW_IDMAP)" $MI -m +1 t s
	umount -l t
}

@test "EINVAL: a mount of another mount namespace" {
	elsewhere unshare -m
	why "it is on a mount of another mount namespace" $MI -m +1 "/proc/$other/root/$SCRATCH/s" t
	why "it is on a mount of another mount namespace" $MI "/proc/$other/root/$SCRATCH/s" t
	why "it is on a mount of another mount namespace" \
		$MI -o rbind "/proc/$other/root/$SCRATCH/s" t
}

@test "EINVAL: an unbindable mount" {
	mount --bind s s && mount --make-unbindable s
	why "it is on a mount that is marked unbindable" $MI -m +1 s t
}

@test "EINVAL: a map with an empty half, of no namespace, or of this one, before any call" {
	elsewhere unshare -U
	must_fail 1 "no id is mapped" $MI -m "pid:$other" s t
	echo "0 100000 10" >"/proc/$other/uid_map"
	must_fail 1 "no group id is mapped" $MI -m "pid:$other" s t
	must_fail 2 "the descriptor is not of a namespace" $MI -m fd:4 s t 4</etc/passwd
	must_fail 2 "another kind of namespace" $MI -m fd:4 s t 4</proc/self/ns/mnt
	must_fail 2 "the caller's own user namespace, whose map changes nothing" $MI -m pid:1 s t
	must_fail 1 "Bad file descriptor" $MI -m fd:99 s t
}

@test "EPERM: the filesystem was mounted by another user namespace" {
	why "only the root of the namespace that mounted it may map it" in_userns $MI -m 0:0:1 s t
}

@test "EPERM: no capability" {
	why "the caller lacks CAP_SYS_ADMIN" setpriv --bounding-set=-sys_admin \
		--inh-caps=-sys_admin $MI -m +1 s t
}

@test "EPERM: it is ID-mapped already, on a kernel that cannot replace maps" {
	mkdir u
	must_work $MI -m +1 s t
	why "it is ID-mapped already, and changing that needs Linux 6.15" "$TESTS/fixtures/nosys" \
		467 $MI -m +2 t u
}

@test "EPERM: locked flags" {
	local flag
	for flag in ro nosuid nodev noexec; do
		mount --bind s s && mount -o "remount,bind,$flag" s
		capture in_userns $MI -o "$([ $flag = ro ] && echo rw || echo "${flag#no}")" s t
		must_equal "$status" 1
		stderr_has "the flag is locked: the mount came with it into this user namespace" \
			... "$flag"
		umount s
	done
}

@test "EBUSY: a writer; E2BIG: a structure that the kernel does not know" {
	# Nobody but us can write through the clone, so that it takes a kernel that says so.
	why "a file of the clone is open for writing" inject mount_setattr:EBUSY:1 $MI -m +1 s t
	why "this kernel does not support all fields of mount_setattr()" \
		inject mount_setattr:E2BIG:1 $MI -m +1 s t
}

@test "ENOSYS: a seccomp filter on a kernel that has the call" {
	why "this kernel has open_tree(), but a seccomp filter hides it" "$TESTS/fixtures/nosys" \
		428 $MI -m +1 s t
	why "this kernel has mount_setattr(), but a seccomp filter hides it" \
		"$TESTS/fixtures/nosys" 442 $MI -m +1 s t
	must_equal "$(grep -c " $SCRATCH/t " /proc/self/mountinfo)" 0
}

@test "EOVERFLOW: an id without a mapping" {
	mkdir -m 755 up l
	must_work_but misfit $MI -m 5:5:10 up t
	why "it lies on an ID-mapped mount whose map has no disk id for user 0 or group 0" \
		$MI -o mkdir s t/new/dir
	why "it lies on an ID-mapped mount whose map has no disk id for user 0 or group 0" \
		$MI -o lower=s,lower=l,upper=t/u,upper-map=none overlay l
	must_equal "$(ls -A up)" ""
}

@test "EROFS: an overlay that cannot write to its work directory" {
	need loop
	need prog chattr
	loop_fs ext4 disk 32M
	chmod 700 disk
	mkdir disk/up disk/w disk/w/work && touch "disk/w/work"/x && chattr +i disk/w/work
	capture $MI -m +100000 -o lower=s,lower=t,upper=disk/up,work=disk/w overlay t
	chattr -i disk/w/work
	must_equal "$status" 1
	[[ $stderr == *"work directory"* ]] || tell "the work directory is not named"
	umount disk
}

@test "in a chroot, where the kernel makes no user namespace, pivot_root is the hint" {
	need root
	mkdir cr
	mount --rbind / cr
	must_fail 1 'cannot make a user namespace' chroot cr "$SHIFTBOX" mount-idmapped -m +5 \
		"$SCRATCH/s" "$SCRATCH/t"
	stderr_has 'chroot' ... 'use pivot_root' ... 'outside the chroot'
	umount -R -l cr
}
