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
 * Compare a mount with what was requested. The kernel has accepted the calls before, so a
 * difference is a bug of the kernel or of this program: it is reported as such (-EIO, with the step
 * "verify"), and the caller undoes the mount. name is for messages.
 */

/*
 * Compare the owner of tree's root, as seen through the map, with that of the same file at fd,
 * whose mount has the map old (NULL: none). Works on all kernels and on detached mounts, but looks
 * at one file only.
 */
MUST_CHECK int verify_owner(int tree, int fd, const struct idmap *old, const struct idmap *map,
	const char *name, struct err *e);

/* Compare the owner of tree's root with what the map makes of raw, its owner on the disk. */
MUST_CHECK int verify_seen(
	int tree, const struct stat *raw, const struct idmap *map, const char *name, struct err *e);

/*
 * Compare the flags, also of a detached mount. -EROFS: a writable mount of a read-only filesystem
 * was requested.
 */
MUST_CHECK int verify_flags(
	int tree, const struct mount_flags *flags, const char *name, struct err *e);

/*
 * Compare what was read of an attached mount: its propagation and, unless map is NULL, its map;
 * before Linux 6.15, only whether it has one.
 */
MUST_CHECK int verify_info(const struct mount_info *info, const struct mount_flags *flags,
	const struct mount_map *map, const char *name, struct err *e);

#endif
