/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sys: system calls without a usable wrapper in glibc 2.36. */

#include "sys.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* These have the same number on every architecture. */
#ifndef SYS_statmount
#define SYS_statmount 457
#endif
#ifndef SYS_listmount
#define SYS_listmount 458
#endif
#ifndef SYS_getxattrat
#define SYS_getxattrat 464
#endif
#ifndef SYS_listxattrat
#define SYS_listxattrat 465
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif

/* struct mnt_id_req of linux/mount.h (6.8, 6.11), whose layout is ABI; newer headers have it too.
 */
struct sys_mnt_id_req {
	uint32_t size, spare;
	uint64_t mnt_id, param, mnt_ns_id;
};

/* Without mnt_ns_id (MNT_ID_REQ_SIZE_VER0) for kernels before 6.11, which added it. */
static struct sys_mnt_id_req mnt_request(uint64_t ns, uint64_t mnt_id, uint64_t param)
{
	const size_t size =
		ns ? sizeof(struct sys_mnt_id_req) : offsetof(struct sys_mnt_id_req, mnt_ns_id);

	return (struct sys_mnt_id_req){
		.size = (uint32_t)size, .mnt_id = mnt_id, .param = param, .mnt_ns_id = ns
	};
}

enum { OPENAT2_TRIES = 1000 };

/*
 * openat2(2): while anything on the system is renamed or mounted, a ".." below RESOLVE_BENEATH or
 * RESOLVE_IN_ROOT ends in EAGAIN, and the caller may try again.
 */
int sys_openat2(int dirfd, const char *path, const struct open_how *how)
{
	const bool racy = !(how->resolve & RESOLVE_CACHED) &&
		how->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT);
	int fd = -1;

	for (int i = 0; i < OPENAT2_TRIES; i++) {
		fd = (int)syscall(SYS_openat2, dirfd, path, how, sizeof(*how));
		if (fd >= 0 || errno != EAGAIN || !racy)
			break;
	}
	return fd;
}

int sys_open_tree(int dirfd, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dirfd, path, flags);
}

int sys_open_tree_attr(int dirfd, const char *path, unsigned flags, const struct mount_attr *attr)
{
	return (int)syscall(SYS_open_tree_attr, dirfd, path, flags, attr, sizeof(*attr));
}

int sys_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
	return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}

int sys_mount_setattr(int dirfd, const char *path, unsigned flags, const struct mount_attr *attr)
{
	return (int)syscall(SYS_mount_setattr, dirfd, path, flags, attr, sizeof(*attr));
}

int sys_fsopen(const char *fs, unsigned flags)
{
	return (int)syscall(SYS_fsopen, fs, flags);
}

int sys_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux)
{
	return (int)syscall(SYS_fsconfig, fd, cmd, key, value, aux);
}

int sys_fsmount(int fd, unsigned flags, unsigned attr_flags)
{
	return (int)syscall(SYS_fsmount, fd, flags, attr_flags);
}

int sys_umount2(const char *path, int flags)
{
	return (int)syscall(SYS_umount2, path, flags);
}

int sys_mount(const char *source, const char *target, const char *type, unsigned long flags,
	const char *data)
{
	return (int)syscall(SYS_mount, source, target, type, flags, data);
}

int sys_statmount(
	uint64_t ns, uint64_t mnt_id, uint64_t mask, struct sys_statmount *buf, size_t size)
{
	struct sys_mnt_id_req req = mnt_request(ns, mnt_id, mask);

	return (int)syscall(SYS_statmount, &req, buf, size, 0);
}

ssize_t sys_listmount(uint64_t ns, uint64_t mnt_id, uint64_t last_id, uint64_t *ids, size_t n)
{
	struct sys_mnt_id_req req = mnt_request(ns, mnt_id, last_id);

	return (ssize_t)syscall(SYS_listmount, &req, ids, n, 0);
}

int sys_faccessat2(int dirfd, const char *path, int mode, int flags)
{
	return (int)syscall(SYS_faccessat2, dirfd, path, mode, flags);
}

ssize_t sys_listxattrat(int dirfd, const char *path, int flags, char *list, size_t size)
{
	return (ssize_t)syscall(SYS_listxattrat, dirfd, path, flags, list, size);
}

ssize_t sys_getxattrat(
	int dirfd, const char *path, int flags, const char *name, void *value, size_t size)
{
	/* struct xattr_args of linux/xattr.h, Linux 6.13 */
	struct {
		uint64_t value __attribute__((aligned(8)));
		uint32_t size, flags;
	} args = {
		.value = (uint64_t)(uintptr_t)value,
		.size = (uint32_t)size,
	};

	return (ssize_t)syscall(SYS_getxattrat, dirfd, path, flags, name, &args, sizeof(args));
}

/* The ids of the calling thread; where an ABI has variants for 16-bit ids, use the other ones. */
int sys_setfsuid(uint32_t uid)
{
#ifdef SYS_setfsuid32
	return (int)syscall(SYS_setfsuid32, uid);
#else
	return (int)syscall(SYS_setfsuid, uid);
#endif
}

int sys_setfsgid(uint32_t gid)
{
#ifdef SYS_setfsgid32
	return (int)syscall(SYS_setfsgid32, gid);
#else
	return (int)syscall(SYS_setfsgid, gid);
#endif
}

int sys_capget(struct __user_cap_header_struct *head, struct __user_cap_data_struct *data)
{
	return (int)syscall(SYS_capget, head, data);
}

int sys_capset(struct __user_cap_header_struct *head, const struct __user_cap_data_struct *data)
{
	return (int)syscall(SYS_capset, head, data);
}

int sys_keyctl_join_session(const char *name)
{
	return (int)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
}

int sys_seccomp(unsigned operation, unsigned flags, void *args)
{
	return (int)syscall(SYS_seccomp, operation, flags, args);
}

int sys_pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

int sys_pidfd_send_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

int sys_pidfd_getfd(int pidfd, int fd)
{
	return (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}

static bool left_home;

int sys_setns(int fd, int type)
{
	left_home = true;
	return setns(fd, type);
}

int sys_chroot(const char *path)
{
	left_home = true;
	return chroot(path);
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	left_home = true;
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

bool sys_is_home(void)
{
	return !left_home;
}

pid_t sys_clone(unsigned long flags)
{
	/* clone3(2) has the same order of arguments on every architecture. */
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args = {
		.flags = flags,
		.exit_signal = SIGCHLD,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

pid_t sys_clone_sharing(
	unsigned long flags, void *stack, size_t size, int (*fn)(void *arg), void *arg)
{
	/* Stacks grow down on every architecture that Debian has; musl and glibc align the end. */
	return clone(fn, (char *)stack + size, (int)(flags | CLONE_VM | SIGCHLD), arg);
}

#ifndef __GLIBC__
int sys_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *ret)
{
	return (int)syscall(SYS_statx, dirfd, path, flags, mask, ret);
}

int sys_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

int sys_close_range(unsigned first, unsigned last, int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}
#endif
