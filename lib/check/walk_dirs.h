/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_WALK_DIRS_H
#define CHECK_WALK_DIRS_H

#include "walk.h"

/*
 * Open directories of a walk, for one thread. Opened from the top by its path, each directory would
 * cost as many steps as it is deep. So a limited number of those that were opened stay open, and a
 * directory is opened from the nearest one above it.
 */
struct walk_dirs;

/* threads: how many of them share the process's limit of open files. NULL: no memory. */
struct walk_dirs *walk_dirs_new(unsigned threads);
void walk_dirs_free(struct walk_dirs *c);

/*
 * Open d, below a root, following no link and crossing no mount. tree: a number that tells roots
 * apart (a walk may look at several trees side by side). Returns a descriptor, the caller's, or
 * -errno.
 */
int walk_dirs_open(struct walk_dirs *c, unsigned tree, int root, struct walk_dir *d, int flags);

/*
 * d was looked at: its descriptor, if there is one, is kept for what was pushed below it, or
 * closed. *fd is -1 afterwards.
 */
void walk_dirs_keep(struct walk_dirs *c, unsigned tree, struct walk_dir *d, int *fd);

#endif
