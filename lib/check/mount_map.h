/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_MOUNT_MAP_H
#define CHECK_MOUNT_MAP_H

#include <stdbool.h>

#include "../base/err.h"
#include "../idmap/idmap.h"

/* What the mount of an open file says of its map. */
enum mount_map_kind {
	MOUNT_MAP_NONE,   /* it has none: seen ids are disk ids */
	MOUNT_MAP_KNOWN,  /* it has the map in *ret */
	MOUNT_MAP_HIDDEN, /* it has one, but this kernel (before 6.15) or namespace does not show it
	                   */
	MOUNT_MAP_OVERLAY, /* it has none, but is an OverlayFS, whose layers may */
};

/*
 * Read the map of the mount that fd (O_PATH will do) is on: statmount(2), before 6.15 the word
 * "idmapped" of /proc/self/mountinfo. Returns an enum mount_map_kind (*ret is to be freed only with
 * MOUNT_MAP_KNOWN), or -errno.
 */
int mount_map_read(int fd, const char *path, struct idmap *ret, struct err *e);

/*
 * The same file or directory without the map of its mount, read-only, as a detached mount of its
 * own that lives as long as *ret_fd (O_PATH); what is mounted below is not in it. Needs
 * open_tree_attr(2) (6.15) and CAP_SYS_ADMIN over the user namespace of the filesystem.
 */
int unmapped_clone(int fd, const char *path, int *ret_fd, struct err *e);

#endif
