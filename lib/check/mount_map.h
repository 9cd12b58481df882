/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_MOUNT_MAP_H
#define CHECK_MOUNT_MAP_H

#include <stdbool.h>

#include "../base/err.h"
#include "../idmap/idmap.h"

/* What the mount of an open file says of its map. */
enum raw_kind {
	RAW_PLAIN,   /* it has none: seen ids are disk ids */
	RAW_MAPPED,  /* it has the map in *ret */
	RAW_HIDDEN,  /* it has one, but this kernel (before 6.15) or namespace does not show it */
	RAW_OVERLAY, /* it has none, but is an OverlayFS, whose layers may */
};

/*
 * Read the map of the mount that fd (O_PATH will do) is on: statmount(2), before 6.15 the word
 * "idmapped" of /proc/self/mountinfo. Returns an enum raw_kind (*ret is to be freed only with
 * RAW_MAPPED), or -errno.
 */
int raw_map(int fd, const char *path, struct idmap *ret, struct err *e);

/*
 * The same file or directory without the map of its mount, read-only, as a detached mount of its
 * own that lives as long as *ret_fd (O_PATH); what is mounted below is not in it. Needs
 * open_tree_attr(2) (6.15) and CAP_SYS_ADMIN over the user namespace of the filesystem.
 */
int raw_open(int fd, const char *path, int *ret_fd, struct err *e);

#endif
