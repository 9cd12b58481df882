/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_CLONE_H
#define MOUNT_CLONE_H

#include "../base/err.h"
#include "flags.h"
#include "info.h"
#include "plan.h"

/* What became of the map of a clone. */
enum map_done {
	MAP_PLAIN,    /* it has none, and its source had none */
	MAP_KEPT,     /* its source's */
	MAP_MADE,     /* the given one */
	MAP_REPLACED, /* the given one, instead of the source's */
	MAP_DROPPED,  /* none, although its source had one */
};

/* "none", "kept", "made", "replaced", "dropped" */
const char *map_done_name(enum map_done done);

/* Open a file or directory to be cloned, O_PATH, as path_open() does. */
int clone_open_source(const char *path, int *ret_fd, struct err *e);

/*
 * Clone the mount that fd is on, with fd's file or directory as its root, detached: nobody sees it
 * until it is moved. Map, flags and propagation are set before it is returned, all in one call, and
 * the owner of its root is compared with what the map says. name is for messages. Needs
 * CAP_SYS_ADMIN, and for a map CAP_SYS_ADMIN in the user namespace that mounted the filesystem. The
 * causes of failures are probed for (probe.h). before: where to look the mount up, for who clones
 * many (and then calls clone_cache_done() of copies.h); NULL: nowhere.
 */
int clone_mapped(int fd, const char *name, const struct mount_map *map,
	const struct mount_flags *flags, struct mount_snapshot *before, int *ret_fd,
	enum map_done *ret_done, struct err *e);

/* The same as it is: with its source's map, flags as they come, and propagation not yet set. */
int clone_plain(int fd, const char *name, int *ret_fd, struct err *e);

/*
 * Give a detached mount of our own making, which has no map yet, this one. source: a descriptor on
 * the mount it was cloned from, to look for causes there. Descriptors of directories in the mount
 * stay good.
 */
int clone_set_map(int tree, int source, const char *name, const struct idmap *map,
	const struct mount_flags *flags, struct err *e);

#endif
