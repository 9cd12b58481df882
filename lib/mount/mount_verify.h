/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_MOUNT_VERIFY_H
#define MOUNT_MOUNT_VERIFY_H

#include <sys/stat.h>

#include "../base/err.h"
#include "../idmap/idmap.h"
#include "flags.h"
#include "info.h"
#include "plan.h"

/*
 * Reading a mount back: does it do what was asked? The kernel has accepted the calls before, so
 * what fails here is a fault of a kernel or of ours, and is reported as such (EIO); the caller
 * undoes the mount.
 */

/*
 * The root of tree, against the same file by way of fd, whose mount has the map `old` (NULL: none):
 * is the owner seen as map says? Works on all kernels and on detached mounts, but looks at one file
 * only.
 */
int verify_owner(int tree, int fd, const struct idmap *old, const struct idmap *map,
	const char *name, struct err *e);

/* The same when the owner on the disk is known: raw. */
int verify_seen(
	int tree, const struct stat *raw, const struct idmap *map, const char *name, struct err *e);

/*
 * Flags, by statfs(2). Works on detached mounts. A read-only filesystem is not a writable mount:
 * -EROFS.
 */
int verify_flags(int tree, const struct mount_flags *flags, const char *name, struct err *e);

/*
 * What was read of an attached mount, by statmount(2) or mountinfo: its propagation and, unless map
 * is NULL, whether its map is that one (before 6.15: whether it has one).
 */
int verify_info(const struct mount_info *info, const struct mount_flags *flags,
	const struct mount_map *map, const char *name, struct err *e);

#endif
