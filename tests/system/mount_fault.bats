# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# mount-idmapped: each system call fails in turn. Whatever fails, nothing is mounted and nothing is
# left.

load lib

need root
need kernel 5.19
need prog strace

MI="$SHIFTBOX mount-idmapped"

test_setup() {
	mkdir source top base merged
	mkdir -m 700 private
	install -o 5 -g 7 /dev/null source/file
	install -o 33 -g 44 /dev/null base/file
}

state() {
	grep "$SCRATCH" /proc/self/mountinfo | cut -d' ' -f4-
	find "$SCRATCH" -printf '%p %U:%G %m\n' | sort
}

# For each_call.
undo() {
	must_work $MI -u -R "${@: -1}"
	rm -rf private/*
}

@test "each call of a bind" {
	each_call open_tree EPERM 1 $MI -m +100000 -o ro source merged
	each_call mount_setattr EPERM 2 $MI -m +100000 -o ro source merged
	each_call move_mount EACCES 1 $MI -m +100000 -o ro source merged
	each_call fstatfs EIO 1 $MI -m +100000 -o ro source merged
	each_call clone3,clone,unshare ENOSPC 1 $MI -m +100000 -o ro source merged
	each_call fchmodat EIO 1 $MI -m +100000 -o X-mount.mode=755 source merged
}

@test "each call of a stack with an upper, by descriptor" {
	need kernel 6.15
	export SHIFTBOX_OVERLAY_WAY=fds
	local stack="$MI -m +100000 -o lower=top,lower=base,upper=private/up overlay merged"
	each_call open_tree EPERM 3 $stack
	each_call mount_setattr EPERM 4 $stack
	each_call fsopen EPERM 1 $stack
	each_call fsconfig EPERM 6 $stack
	each_call fsmount EPERM 1 $stack
	each_call move_mount EACCES 1 $stack
	each_call mkdirat ENOSPC 4 $stack
	each_call renameat2 EIO 2 $stack
	# Whether something is mounted on the target already is only noted.
	OVERCOME=1 each_call openat2 EIO 2 $stack
	# whether a directory is closed: if not, one above it may be
	OVERCOME=1 each_call fstatfs EIO 2 $stack
}

@test "each call of a stack with an upper, by name" {
	export SHIFTBOX_OVERLAY_WAY=names
	local stack="$MI -m +100000 -o lower=top,lower=base,upper=private/up overlay merged"
	each_call open_tree EPERM 4 $stack
	each_call unshare EPERM 1 $stack
	each_call mount EPERM 2 $stack
	each_call fsopen EPERM 1 $stack
	each_call fsconfig EPERM 1 $stack
	each_call fsmount EPERM 1 $stack
	each_call move_mount EACCES 4 $stack
	each_call clone3,clone EAGAIN 1 $stack
	each_call mkdir ENOSPC 3 $stack
}

@test "each call of an ephemeral stack" {
	local stack="$MI -m +100000 -o lower=top,lower=base,ephemeral=1M overlay merged"
	each_call fsopen EPERM 2 $stack
	each_call fsconfig EPERM 8 $stack
	each_call fsmount EPERM 2 $stack
	each_call mkdirat ENOSPC 4 $stack
	each_call mount_setattr EPERM 4 $stack
}

@test "each call of a tree of mounts, in one call and assembled" {
	mkdir source/a source/ram
	mount -t tmpfs none source/a
	each_call open_tree EMFILE 1 $MI -m +100000 -o rbind source merged
	each_call mount_setattr EIO 2 $MI -m +100000 -o rbind source merged
	each_call move_mount EACCES 1 $MI -m +100000 -o rbind source merged
	OVERCOME=1 each_call fstatfs EIO 3 $MI -m +100000 -o rbind source merged # the same
	mount -t ramfs none source/ram
	# Calls that only look for a cause may fail: then it is not told.
	# shellcheck disable=SC2034 # each_call reads it
	local OVERCOME=1
	each_call open_tree EMFILE 4 $MI -m +100000 -o rbind,skip-unsupported source merged
	each_call mount_setattr EIO 5 $MI -m +100000 -o rbind,skip-unsupported source merged
	each_call move_mount EACCES 3 $MI -m +100000 -o rbind,skip-unsupported source merged
	each_call unshare EPERM 1 $MI -m +100000 -o rbind,skip-unsupported source merged
	umount source/ram source/a
}

@test "a created target and its parents go, too" {
	each_call move_mount EACCES 1 $MI -m +100000 -o mkdir source n/e/w
	rm -r n
	each_call mkdirat EACCES 3 $MI -m +100000 -o mkdir source n/e/w
	rm -r n
}

@test "a mount that turns out wrong when it is read back is taken off again" {
	# The second mount_setattr() sets the propagation after attaching: by then the mount is
	# visible.
	local before
	before=$(state)
	capture inject mount_setattr:EPERM:2 $MI -m +100000 source merged
	must_equal "$status" 1
	must_equal "$(state)" "$before"
}

@test "causes: no capability, a seccomp filter, an old kernel" {
	must_fail 1 "the caller lacks CAP_SYS_ADMIN" \
		setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin $MI -m 0:0:1 source merged
	must_fail 1 "a seccomp filter" "$TESTS"/fixtures/nosys 442 $MI -m +100000 source merged
	[[ $stderr == *"mount_setattr()"* ]] || tell "the call is not named"
	must_fail 1 "a seccomp filter" "$TESTS"/fixtures/nosys 428 $MI -m +100000 source merged
}
