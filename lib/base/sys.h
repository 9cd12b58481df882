/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_SYS_H
#define BASE_SYS_H

/*
 * Every system call that glibc 2.36 has no wrapper for, or whose header clashes with linux/mount.h
 * (sys/mount.h does), with the numbers and structures that Debian 12's headers (Linux 6.1) lack.
 * All return like the call itself: a value, or -1 with errno. This is also the seam where the test
 * build makes calls fail (tests/fault). Nothing else may include linux/mount.h or sys/mount.h.
 */

#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

struct __user_cap_data_struct;
struct __user_cap_header_struct;
struct sys_statmount;

int sys_openat2(int dirfd, const char *path, const struct open_how *how);
int sys_open_tree(int dirfd, const char *path, unsigned flags);
int sys_open_tree_attr(
	int dirfd, const char *path, unsigned flags, const struct mount_attr *attr); /* 6.15 */
int sys_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags);
int sys_mount_setattr(int dirfd, const char *path, unsigned flags, const struct mount_attr *attr);
int sys_fsopen(const char *fs, unsigned flags);
int sys_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux);
int sys_fsmount(int fd, unsigned flags, unsigned attr_flags);
int sys_umount2(const char *path, int flags);
int sys_mount(const char *source, const char *target, const char *type, unsigned long flags,
	const char *data);

/*
 * statmount(2), 6.8; the maps since 6.15. mnt_id is the unique id (statx STATX_MNT_ID_UNIQUE). ns:
 * the mount namespace it is in (SYS_NS_GET_MNTNS_ID, 6.11; it takes CAP_SYS_ADMIN over it), 0: the
 * calling process's. Fills buf (size bytes, at least sizeof(struct sys_statmount)); string offsets
 * count from str[].
 */
int sys_statmount(
	uint64_t ns, uint64_t mnt_id, uint64_t mask, struct sys_statmount *buf, size_t size);

/*
 * listmount(2), 6.8: unique ids of the mounts below mnt_id (SYS_LSMT_ROOT: all), after last_id. ns:
 * as above.
 */
ssize_t sys_listmount(uint64_t ns, uint64_t mnt_id, uint64_t last_id, uint64_t *ids, size_t n);

/*
 * listxattrat(2), getxattrat(2): 6.13. name is below dirfd ("": only with AT_EMPTY_PATH and no
 * O_PATH fd).
 */
ssize_t sys_listxattrat(int dirfd, const char *path, int flags, char *list, size_t size);
ssize_t sys_getxattrat(
	int dirfd, const char *path, int flags, const char *name, void *value, size_t size);

/*
 * The file-system ids of the calling thread only. They return the previous id, and cannot fail
 * visibly.
 */
int sys_setfsuid(uint32_t uid);
int sys_setfsgid(uint32_t gid);

int sys_capget(struct __user_cap_header_struct *head, struct __user_cap_data_struct *data);
int sys_capset(struct __user_cap_header_struct *head, const struct __user_cap_data_struct *data);

/* keyctl(2), KEYCTL_JOIN_SESSION_KEYRING. NULL: join a new keyring without a name. */
int sys_keyctl_join_session(const char *name);

/* seccomp(2) */
int sys_seccomp(unsigned operation, unsigned flags, void *args);

int sys_pidfd_open(pid_t pid, unsigned flags);
int sys_pidfd_send_signal(int pidfd, int sig);
int sys_pidfd_getfd(int pidfd, int fd); /* 5.6; close-on-exec */

/*
 * setns(2), chroot(2), pivot_root(2). Afterwards names may be those of whoever made the namespace
 * or the root, so that a library found by name may be theirs (CVE-2019-14271: NSS modules, loaded
 * after chroot). So from the first call on, successful or not, sys_is_home() is false in this
 * process and its children, and what loads libraries asserts it: dlopen(3), the name services
 * (getpwnam(3)), iconv(3), setlocale(3).
 */
int sys_setns(int fd, int type);
int sys_chroot(const char *path);
int sys_pivot_root(const char *new_root, const char *put_old);
bool sys_is_home(void);

/* clone with CLONE_* flags and no new stack, as fork(2): 0 in the child. */
pid_t sys_clone(unsigned long flags);

/* linux/mount.h of 6.15 and later */
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

/* linux/nsfs.h of 6.11: the id of a mount namespace, uint64_t *. */
#define SYS_NS_GET_MNTNS_ID _IOR(0xb7, 0x5, uint64_t)

/* struct statmount of Linux 6.15 (include/uapi/linux/mount.h), whose layout is ABI. */
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

/* umount2(2), mount(2), from sys/mount.h, which cannot be included beside linux/mount.h */
#define SYS_MNT_DETACH 2
#define SYS_UMOUNT_NOFOLLOW 8

#endif
