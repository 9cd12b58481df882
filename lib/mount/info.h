/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_INFO_H
#define MOUNT_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "../idmap/idmap.h"

/* What the kernel says of an attached mount. */
struct mount_info {
	int id;                /* as in mountinfo */
	char type[64];         /* "ext4", "fuse.sshfs" */
	char *source;          /* "/dev/vda", "image:debian"; may be "" */
	uint64_t propagation;  /* MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE, MS_SHARED|MS_SLAVE */
	bool mapped;           /* it has an ID map ... */
	bool map_known;        /* ... and this kernel tells which (6.15+), in the ids of our user namespace */
	struct idmap map;
};

/*
 * Ask statmount(2), or mountinfo where the kernel has no answer there (before 6.15 it knows no maps).
 * fd: any descriptor on the mount (O_PATH will do). -ENOENT: the mount is detached, or of another mount
 * namespace. Free with mount_info_done().
 */
int mount_info_get(int fd, struct mount_info *ret, struct err *e);

void mount_info_done(struct mount_info *i);

static inline void cleanup_mount_info(struct mount_info *i)
{
	mount_info_done(i);
}

#define scoped_mount_info __attribute__((cleanup(cleanup_mount_info)))

/* "private", "shared", "slave", "unbindable"; "shared,slave" for both. */
const char *mount_propagation_name(uint64_t propagation);

#endif
