/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_SYS_H
#define BASE_SYS_H

/*
 * System calls that glibc 2.36 has no wrapper for, or whose header conflicts with linux/mount.h
 * (sys/mount.h does), and the numbers and structures that the headers of Debian 12 (Linux 6.1)
 * lack. All functions return what the system call returns: a value, or -1 with errno. Tests make
 * calls fail here (tests/fault). No other file may include linux/mount.h or sys/mount.h, or call
 * syscall(2).
 */

#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#include "cleanup.h"

struct __user_cap_data_struct;
struct __user_cap_header_struct;
struct sys_statmount;

MUST_CHECK int sys_openat2(int dirfd, const char *path, const struct open_how *how);
MUST_CHECK int sys_open_tree(int dirfd, const char *path, unsigned flags);
MUST_CHECK int sys_open_tree_attr(
	int dirfd, const char *path, unsigned flags, const struct mount_attr *attr); /* 6.15 */
MUST_CHECK int sys_move_mount(
	int from, const char *from_path, int to, const char *to_path, unsigned flags);
MUST_CHECK int sys_mount_setattr(
	int dirfd, const char *path, unsigned flags, const struct mount_attr *attr);
MUST_CHECK int sys_fsopen(const char *fs, unsigned flags);
MUST_CHECK int sys_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux);
MUST_CHECK int sys_fsmount(int fd, unsigned flags, unsigned attr_flags);
MUST_CHECK int sys_umount2(const char *path, int flags);
MUST_CHECK int sys_mount(const char *source, const char *target, const char *type,
	unsigned long flags, const char *data);

/*
 * statmount(2), Linux 6.8; maps since 6.15. ns: the id of a mount namespace (SYS_NS_GET_MNTNS_ID,
 * Linux 6.11; requires CAP_SYS_ADMIN over it), or 0 for the namespace of the caller. mnt_id: the
 * unique id of the mount, as statx(STATX_MNT_ID_UNIQUE) reports it. Fills buf (size bytes,
 * at least sizeof(struct sys_statmount)); the offsets of strings start at str[].
 */
MUST_CHECK int sys_statmount(
	uint64_t ns, uint64_t mnt_id, uint64_t mask, struct sys_statmount *buf, size_t size);

/*
 * listmount(2), Linux 6.8: the unique ids of the mounts below mnt_id (SYS_LSMT_ROOT: of all mounts)
 * that are greater than last_id. ns: as for sys_statmount().
 */
MUST_CHECK ssize_t sys_listmount(
	uint64_t ns, uint64_t mnt_id, uint64_t last_id, uint64_t *ids, size_t n);

/* faccessat2(2), since Linux 5.8, without glibc's own answer for kernels that lack it. */
MUST_CHECK int sys_faccessat2(int dirfd, const char *path, int mode, int flags);

/*
 * listxattrat(2) and getxattrat(2), since Linux 6.13: name is relative to dirfd; "" requires
 * AT_EMPTY_PATH and a dirfd that is not O_PATH.
 */
MUST_CHECK ssize_t sys_listxattrat(int dirfd, const char *path, int flags, char *list, size_t size);
MUST_CHECK ssize_t sys_getxattrat(
	int dirfd, const char *path, int flags, const char *name, void *value, size_t size);

/*
 * setfsuid(2) and setfsgid(2), for the calling thread alone. Both return the previous id, and do
 * not report failure.
 */
int sys_setfsuid(uint32_t uid);
int sys_setfsgid(uint32_t gid);

MUST_CHECK int sys_capget(
	struct __user_cap_header_struct *head, struct __user_cap_data_struct *data);
MUST_CHECK int sys_capset(
	struct __user_cap_header_struct *head, const struct __user_cap_data_struct *data);

/* keyctl(KEYCTL_JOIN_SESSION_KEYRING, name): NULL joins a new keyring without a name. */
MUST_CHECK int sys_keyctl_join_session(const char *name);

/* seccomp(2) */
MUST_CHECK int sys_seccomp(unsigned operation, unsigned flags, void *args);

MUST_CHECK int sys_pidfd_open(pid_t pid, unsigned flags);
MUST_CHECK int sys_pidfd_send_signal(int pidfd, int sig);
MUST_CHECK int sys_pidfd_getfd(int pidfd, int fd); /* Linux 5.6; the descriptor is close-on-exec */

/*
 * setns(2), chroot(2) and pivot_root(2). After them, paths may lead to files that the creator of
 * the namespace or of the root controls, libraries among them (CVE-2019-14271: NSS modules that
 * were loaded after chroot). So from the first call on, successful or not, sys_is_home() returns
 * false in this process and its children. Code that loads libraries asserts it: dlopen(3), name
 * services (getpwnam(3)), iconv(3), setlocale(3).
 */
MUST_CHECK int sys_setns(int fd, int type);
MUST_CHECK int sys_chroot(const char *path);
MUST_CHECK int sys_pivot_root(const char *new_root, const char *put_old);
bool sys_is_home(void);

/* clone3(2) with CLONE_* flags and no new stack. Returns twice, as fork(2): 0 in the child. */
pid_t sys_clone(unsigned long flags);

/*
 * clone(2) with CLONE_* flags: a child that shares the memory of this process calls fn(arg) on a
 * stack of its own. fn must not return, nor change errno or anything else of this thread.
 */
pid_t sys_clone_sharing(
	unsigned long flags, void *stack, size_t size, int (*fn)(void *arg), void *arg);

/* From linux/mount.h of Linux 6.15. */
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef FSCONFIG_CMD_CREATE_EXCL
#define FSCONFIG_CMD_CREATE_EXCL 8
#endif
#define SYS_STATX_MNT_ID_UNIQUE 0x00004000U

#define SYS_STATMOUNT_SB_BASIC 0x0001U
#define SYS_STATMOUNT_MNT_BASIC 0x0002U
#define SYS_STATMOUNT_MNT_ROOT 0x0008U
#define SYS_STATMOUNT_MNT_POINT 0x0010U
#define SYS_STATMOUNT_FS_TYPE 0x0020U
#define SYS_STATMOUNT_MNT_NS_ID 0x0040U
#define SYS_STATMOUNT_MNT_OPTS 0x0080U
#define SYS_STATMOUNT_SB_SOURCE 0x0200U
#define SYS_STATMOUNT_SUPPORTED_MASK 0x1000U
#define SYS_STATMOUNT_MNT_UIDMAP 0x2000U
#define SYS_STATMOUNT_MNT_GIDMAP 0x4000U
#define SYS_LSMT_ROOT UINT64_MAX

/* From linux/nsfs.h of Linux 6.11: get the id of a mount namespace, into a uint64_t. */
#define SYS_NS_GET_MNTNS_ID _IOR(0xb7, 0x5, uint64_t)

/* struct statmount of Linux 6.15 (include/uapi/linux/mount.h); its layout is ABI. */
struct sys_statmount {
	uint32_t size, mnt_opts;
	uint64_t mask;
	uint32_t sb_dev_major, sb_dev_minor;
	uint64_t sb_magic;
	uint32_t sb_flags, fs_type;
	uint64_t mnt_id, mnt_parent_id;
	uint32_t mnt_id_old, mnt_parent_id_old;
	uint64_t mnt_attr, mnt_propagation, mnt_peer_group, mnt_master, propagate_from;
	uint32_t mnt_root, mnt_point;
	uint64_t mnt_ns_id;
	uint32_t fs_subtype, sb_source, opt_num, opt_array, opt_sec_num, opt_sec_array;
	uint64_t supported_mask;
	uint32_t mnt_uidmap_num, mnt_uidmap, mnt_gidmap_num, mnt_gidmap;
	uint64_t spare[43];
	char str[];
};

/* Flags of umount2(2), from sys/mount.h, which cannot be included beside linux/mount.h. */
#define SYS_MNT_DETACH 2
#define SYS_UMOUNT_NOFOLLOW 8

#endif
