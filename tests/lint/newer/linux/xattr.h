/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Linux 6.13 adds to linux/xattr.h, in our own words; see mount.h here. */
#include_next <linux/xattr.h>

#ifndef NEWER_XATTR_H
#define NEWER_XATTR_H

#include <linux/types.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
struct xattr_args {
	__aligned_u64 value;
	__u32 size, flags;
};
#endif

#endif
