/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_CLONE_H
#define MOUNT_CLONE_H

#include "../base/err.h"
#include "flags.h"
#include "info.h"
#include "plan.h"

/*
 * Detached clones of mounts (open_tree(2)). Until a clone is attached, no other process sees it.
 * All functions need CAP_SYS_ADMIN and, to set a map, CAP_SYS_ADMIN in the user namespace that
 * mounted the filesystem. After a failure they look for its cause (probe.h).
 */

/* How the map of a clone differs from its source's. */
enum map_change {
	MAP_PLAIN,    /* neither has a map */
	MAP_KEPT,     /* the clone has the map of its source */
	MAP_MADE,     /* the clone has the requested map, and the source has none */
	MAP_REPLACED, /* the clone has the requested map instead of its source's */
	MAP_DROPPED,  /* the clone has no map, although its source has one */
};

/* "none", "kept", "made", "replaced", "dropped" */
const char *map_change_name(enum map_change change);

/* What a clone is to be. Everything is borrowed. */
struct clone_how {
	const char *name; /* of the source, for messages */
	const struct mount_map *map;
	const struct mount_flags *flags;
	/*
	 * Not NULL: the clone is one of many. The snapshot serves to look up the source, and the
	 * cache of clone_cache.h is used; call clone_cache_done() after the last clone.
	 */
	struct mount_snapshot *snapshot;
	bool skip_unsupported; /* rbind_clone() only: see there */
};

/* Open a file or directory that is to be cloned, with O_PATH, by the rules of path_open(). */
MUST_CHECK int clone_open_source(const char *path, int *ret_fd, struct err *e);

/*
 * Clone the mount that fd is on; fd's file or directory becomes the root of the clone. Map, flags
 * and propagation are set in one call before the clone is returned, and the owner of its root is
 * compared with what the map requires. A map of the source is kept, replaced or dropped as how->map
 * says; replacing and dropping need Linux 6.15 (-ENOSYS). *ret_change may be set on failure, too.
 */
MUST_CHECK int clone_mapped(int fd, const struct clone_how *how, int *ret_fd,
	enum map_change *ret_change, struct err *e);

/* Clone as clone_mapped() does, for internal use: private, and with no flags changed. */
MUST_CHECK int clone_private(
	int fd, const char *name, const struct mount_map *map, int *ret_fd, struct err *e);

/*
 * Clone a mount with its map and flags. The caller sets the propagation. maps: it will set another
 * map, too, which counts for the explanation of a failure.
 */
MUST_CHECK int clone_plain(int fd, const char *name, bool maps, int *ret_fd, struct err *e);

/*
 * Make tree, a detached mount of this process without a map, private and give it a map. source is a
 * descriptor on the mount that tree was cloned from, where causes of a failure are looked for.
 * Descriptors of directories in tree stay valid.
 */
MUST_CHECK int clone_set_map(
	int tree, int source, const char *name, const struct idmap *map, struct err *e);

#endif
