/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_WALK_DIRS_H
#define CHECK_WALK_DIRS_H

#include "walk.h"

/*
 * A cache of open directories for one thread of a walk. Opening a directory from the root takes as
 * many steps as it is deep; with the cache it is opened from its nearest open ancestor.
 */
struct walk_dirs;

/* threads: how many threads share the limit of open files. Returns NULL if out of memory. */
struct walk_dirs *walk_dirs_new(unsigned threads);
void walk_dirs_free(struct walk_dirs *c);

/*
 * Open d below root without following links or crossing mounts. tree is a number that identifies
 * the root, because a walk may visit several trees side by side. Returns a descriptor, which the
 * caller closes or passes to walk_dirs_keep(), or -errno.
 */
MUST_CHECK int walk_dirs_open(
	struct walk_dirs *c, unsigned tree, int root, struct walk_dir *d, int flags);

/*
 * End the visit of d: keep *fd open if directories below d are still to be visited, else close it.
 * Sets *fd to -1.
 */
void walk_dirs_keep(struct walk_dirs *c, unsigned tree, struct walk_dir *d, int *fd);

#endif
