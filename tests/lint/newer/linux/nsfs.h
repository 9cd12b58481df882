/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Linux 6.11 to 6.18 add to linux/nsfs.h, in our own words; see mount.h here. */
#include_next <linux/nsfs.h>

#ifndef NEWER_NSFS_H
#define NEWER_NSFS_H

#include <linux/types.h>

#ifndef NS_GET_MNTNS_ID
#define NS_GET_MNTNS_ID _IOR(NSIO, 0x5, __u64)
#define NS_GET_PID_FROM_PIDNS _IOR(NSIO, 0x6, int)
#define NS_GET_TGID_FROM_PIDNS _IOR(NSIO, 0x7, int)
#define NS_GET_PID_IN_PIDNS _IOR(NSIO, 0x8, int)
#define NS_GET_TGID_IN_PIDNS _IOR(NSIO, 0x9, int)
#endif

#ifndef MNT_NS_INFO_SIZE_VER0
#define MNT_NS_INFO_SIZE_VER0 16

struct mnt_ns_info {
	__u32 size, nr_mounts;
	__u64 mnt_ns_id;
};

#define NS_MNT_GET_INFO _IOR(NSIO, 10, struct mnt_ns_info)
#define NS_MNT_GET_NEXT _IOR(NSIO, 11, struct mnt_ns_info)
#define NS_MNT_GET_PREV _IOR(NSIO, 12, struct mnt_ns_info)
#endif

#ifndef NS_GET_ID
#define NS_GET_ID _IOR(NSIO, 13, __u64)

struct nsfs_file_handle {
	__u64 ns_id;
	__u32 ns_type, ns_inum;
};
#endif

#endif
