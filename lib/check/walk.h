/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_WALK_H
#define CHECK_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/buf.h"
#include "../base/err.h"

/*
 * Walk a tree of directories with several threads. Each thread has a stack of directories, and
 * gives the oldest ones away when another thread is idle. A directory is represented by its name
 * and its parent, not by a path or a descriptor, so that only memory, a few bytes for each
 * directory that is still to be visited, limits the depth and the width of a tree.
 */
struct walk;
struct walk_worker;

struct walk_dir {
	struct walk_dir *parent; /* NULL for the root */
	void *tag;               /* for the caller's use */
	unsigned refs;           /* atomic: one for itself and one for each child */
	size_t path_len;         /* the length of the whole path */
	size_t depth;            /* 0 for the root */
	char name[];
};

/*
 * Visit one directory on the thread index (0 to threads - 1); the function adds subdirectories with
 * walk_push(). Returns 0, or -errno with e filled, which ends the walk.
 */
typedef int walk_fn(
	struct walk_worker *w, unsigned index, struct walk_dir *d, void *arg, struct err *e);

/* Walk from a root with this tag with threads >= 1. Returns 0 or the first error of fn. */
MUST_CHECK int walk_run(unsigned threads, void *root_tag, walk_fn *fn, void *arg, struct err *e);

/* For walk_fn: add the subdirectory name of d. Returns 0 or -ENOMEM. */
MUST_CHECK int walk_push(struct walk_worker *w, struct walk_dir *d, const char *name, void *tag);

/* For walk_fn: visit no further directories. */
void walk_stop(struct walk_worker *w);

/* Keep a directory beyond its visit, and release it. */
struct walk_dir *walk_dir_ref(struct walk_dir *d);
void walk_dir_unref(struct walk_dir *d);

/* For walk_fn: are there directories below d that are still to be visited? */
bool walk_dir_is_wanted(const struct walk_dir *d);

/* Append the path of d ("" for the root), or of name in d if name is not NULL. */
void walk_path(const struct walk_dir *d, const char *name, struct buf *ret);

/*
 * Open the directory at path below root without following links or crossing mounts. The path may be
 * longer than PATH_MAX. Returns a descriptor, which the caller closes, or -errno.
 */
MUST_CHECK int walk_open(int root, const char *path, int flags);

#endif
