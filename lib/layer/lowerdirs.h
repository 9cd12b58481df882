/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LOWERDIRS_H
#define LAYER_LOWERDIRS_H

#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "layer.h"

/* The topmost object of a path in the merged view of finished layers. */
struct lower_hit {
	int fd;         /* O_PATH: the directory that holds it; close it */
	char name[256]; /* in that directory; "." for the root */
	struct stat st;
};

#define LOWER_HIT_INIT ((struct lower_hit){ .fd = -1 })

static inline void cleanup_lower_hit(struct lower_hit *h)
{
	cleanup_fd(&h->fd);
}

#define scoped_hit __attribute__((cleanup(cleanup_lower_hit)))

/*
 * Look path ("" is the root; components that are no "." or "..") up as overlayfs would: a whiteout,
 * an opaque directory or anything that is no directory hides what is below it. Symbolic links are
 * not followed. 1 and *ret, 0 when there is nothing, -errno.
 */
int lower_find(const struct lower *l, const char *path, struct lower_hit *ret, struct err *e);

/*
 * Open directories: one path in all the layers that have it, topmost first, as far as they merge.
 */
struct lower_dirs {
	int *items;
	size_t len, cap;
};
struct lower_level {
	size_t end;
	struct lower_dirs dirs;
}; /* end: of its path, which path begins with */

/* A regular file of the layers below, by inode. */
struct lower_file {
	dev_t dev;
	ino_t ino;
	char blocks[65], whole[65]; /* digests of its content, once one was asked for */
	void *copy;                 /* the caller's */
};

/*
 * Many look-ups. The directories that lead to the last path stay open, so that a path near it is
 * found in few steps: looking up a whole tree, parents first, takes time in proportion to its size.
 * A limited number of them, the deepest: others are opened again. What was read of files is counted
 * in read, and refused beyond limit (-EFBIG).
 */
struct lower_walk {
	struct lower lower;
	struct buf path; /* the last one */
	VEC(struct lower_level) levels;
	size_t closed;         /* so many of the first ones are */
	size_t open, open_max; /* descriptors */
	void *files;           /* tsearch(3) of struct lower_file */
	uint64_t read, limit;  /* bytes; the limit is the caller's to set */
};

/* The descriptors of l must stay open. */
void lower_walk_begin(struct lower_walk *w, const struct lower *l);
void lower_walk_end(struct lower_walk *w);

#define scoped_walk __attribute__((cleanup(lower_walk_end)))

/* As lower_find(). */
int lower_walk_find(struct lower_walk *w, const char *path, struct lower_hit *ret, struct err *e);

/* The one struct of that file: the walk's. */
int lower_file(
	struct lower_walk *w, const struct lower_hit *hit, struct lower_file **ret, struct err *e);

/*
 * The facts that a layer can depend on, as one line each, appended to ret. kind: "dir" (is the path
 * a directory?), "meta" (what attributes has the directory?), "file" (what is it, content and all,
 * that a hard link would join?). hit: what was found there; NULL: nothing.
 */
int layer_deps_add(struct lower_walk *w, const char *kind, const char *path,
	const struct lower_hit *hit, struct buf *ret, struct err *e);

/*
 * A line of what the layer owes to the options. kind: "caps" (what becomes of capabilities of
 * version 3?), "devices" (are they left out?), "ids" (which are there?).
 */
void layer_deps_add_options(const char *kind, const struct layer_options *o, struct buf *ret);

/* As layer_deps_hold_below(). */
int layer_deps_hold(const char *deps, struct lower_walk *w, bool *ret, struct err *e);

#endif
