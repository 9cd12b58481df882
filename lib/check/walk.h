/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_WALK_H
#define CHECK_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/buf.h"
#include "../base/err.h"

/*
 * Directories to be looked at, by as many threads as there are: each works through a stack of its
 * own and gives its oldest directories away when another thread has nothing to do. A directory is a
 * name and its parent, not a path or a descriptor, so that neither depth nor width of a tree is
 * limited by anything but a few bytes for each directory that is still to come.
 */
struct walk;
struct walk_worker;

struct walk_dir {
	struct walk_dir *parent; /* NULL for the root */
	void *tag;               /* the caller's */
	unsigned refs;           /* atomic; its own and one for each child */
	size_t path_len;         /* of the whole path */
	size_t depth;            /* of the root: 0 */
	char name[];
};

/*
 * Look at one directory, on one of the threads (index 0 to threads - 1). Finds more with
 * walk_push(). Returns 0, or -errno with e filled: that ends the walk.
 */
typedef int walk_fn(
	struct walk_worker *w, unsigned index, struct walk_dir *d, void *arg, struct err *e);

/* Walk from a root with this tag. threads: 1 or more. Returns 0 or the first error. */
int walk_run(unsigned threads, void *root_tag, walk_fn *fn, void *arg, struct err *e);

/* From within walk_fn: a directory below d. Returns 0 or -ENOMEM. */
int walk_push(struct walk_worker *w, struct walk_dir *d, const char *name, void *tag);

/* From within walk_fn: let nothing new be started. */
void walk_stop(struct walk_worker *w);

/* For whoever keeps a directory beyond its turn. */
struct walk_dir *walk_dir_ref(struct walk_dir *d);
void walk_dir_unref(struct walk_dir *d);

/* Within walk_fn: is something below d still to come? */
bool walk_dir_is_wanted(const struct walk_dir *d);

/* Append the path of d ("" for the root), or of name within d when it is not NULL. */
void walk_path(const struct walk_dir *d, const char *name, struct buf *ret);

/*
 * Open the directory at path below root, following no link and crossing no mount, however long the
 * path is. Returns a descriptor or -errno.
 */
int walk_open(int root, const char *path, int flags);

#endif
