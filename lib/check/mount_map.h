/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_MOUNT_MAP_H
#define CHECK_MOUNT_MAP_H

#include <stdbool.h>

#include "../base/err.h"
#include "../idmap/idmap.h"

/* What is known about the ID map of a mount. */
enum mount_map_kind {
	MOUNT_MAP_NONE,    /* not ID-mapped: seen ids are disk ids */
	MOUNT_MAP_KNOWN,   /* ID-mapped, and the map could be read */
	MOUNT_MAP_HIDDEN,  /* ID-mapped, but the map cannot be read (before Linux 6.15, or because
	                      none of its ids exists in this user namespace) */
	MOUNT_MAP_OVERLAY, /* an OverlayFS mount, which is not ID-mapped; its layers may be */
};

/*
 * Read the map of the mount that fd (O_PATH suffices) is on: with statmount(2), before Linux 6.15
 * only from the option "idmapped" in /proc/self/mountinfo, and the record of
 * mount-idmapped. path is for messages. Returns an enum
 * mount_map_kind (the caller frees *ret after MOUNT_MAP_KNOWN; otherwise it is not set) or -errno.
 */
MUST_CHECK int mount_map_read(int fd, const char *path, struct idmap *ret, struct err *e);

/*
 * Clone the mount that fd is on, from that file or directory down and without mounts below it, as a
 * detached, read-only mount without the map. Sets *ret_fd to an O_PATH descriptor; the mount exists
 * as long as it is open. Requires open_tree_attr(2) (Linux 6.15) and CAP_SYS_ADMIN in the user
 * namespace that the filesystem belongs to. Returns 0 or -errno.
 */
MUST_CHECK int unmapped_clone(int fd, const char *path, int *ret_fd, struct err *e);

#endif
