/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What later kernels (up to Linux 7.0) add to linux/mount.h, in our own words: names that our files
 * must not define. The layouts are the kernel's ABI.
 */
#include_next <linux/mount.h>

#ifndef NEWER_MOUNT_H
#define NEWER_MOUNT_H

#include <linux/types.h>

#ifndef MNT_ID_REQ_SIZE_VER0 /* Linux 6.8 */
#define MNT_ID_REQ_SIZE_VER0 24

struct mnt_id_req {
	__u32 size, mnt_ns_fd;
	__u64 mnt_id, param, mnt_ns_id;
};

struct statmount {
	__u32 size, mnt_opts;
	__u64 mask;
	__u32 sb_dev_major, sb_dev_minor;
	__u64 sb_magic;
	__u32 sb_flags, fs_type;
	__u64 mnt_id, mnt_parent_id;
	__u32 mnt_id_old, mnt_parent_id_old;
	__u64 mnt_attr, mnt_propagation, mnt_peer_group, mnt_master, propagate_from;
	__u32 mnt_root, mnt_point;
	__u64 mnt_ns_id;
	__u32 fs_subtype, sb_source, opt_num, opt_array, opt_sec_num, opt_sec_array;
	__u64 supported_mask;
	__u32 mnt_uidmap_num, mnt_uidmap, mnt_gidmap_num, mnt_gidmap;
	__u64 __spare2[43];
	char str[];
};

#define STATMOUNT_SB_BASIC 0x00000001U
#define STATMOUNT_MNT_BASIC 0x00000002U
#define STATMOUNT_PROPAGATE_FROM 0x00000004U
#define STATMOUNT_MNT_ROOT 0x00000008U
#define STATMOUNT_MNT_POINT 0x00000010U
#define STATMOUNT_FS_TYPE 0x00000020U
#define LSMT_ROOT 0xffffffffffffffff
#endif

#ifndef MNT_ID_REQ_SIZE_VER1 /* Linux 6.11 to 6.15 */
#define MNT_ID_REQ_SIZE_VER1 32
#define STATMOUNT_MNT_NS_ID 0x00000040U
#define STATMOUNT_MNT_OPTS 0x00000080U
#define STATMOUNT_SB_SOURCE 0x00000200U
#define STATMOUNT_SUPPORTED_MASK 0x00001000U
#define STATMOUNT_MNT_UIDMAP 0x00002000U
#define STATMOUNT_MNT_GIDMAP 0x00004000U
#define LISTMOUNT_REVERSE (1 << 0)
#endif

#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef OPEN_TREE_NAMESPACE
#define OPEN_TREE_NAMESPACE (1 << 1)
#endif
#ifndef FSMOUNT_NAMESPACE
#define FSMOUNT_NAMESPACE 0x00000002
#endif

#endif
