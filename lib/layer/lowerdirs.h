/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LOWERDIRS_H
#define LAYER_LOWERDIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "../tar/digest.h"
#include "layer.h"

/* Lookup in the merged view of finished layers, as overlayfs does it. */

/*
 * The layers below, topmost first: O_RDONLY or O_PATH descriptors of their roots. The last one is
 * the first whose root is opaque (layer_root_opaque()).
 */
struct lower {
	const int *dirfds; /* owned by the caller */
	size_t n;
	bool user_xattr;               /* marks are user.overlay.* */
	const struct layer_options *o; /* the options with which a layer would be unpacked now;
	                                  NULL: options that skip nothing */
};

/* The topmost object of a path. */
struct lower_hit {
	int fd;         /* O_PATH: the directory that contains it; owned */
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
 * Look up a path ("" is the root; no component is "." or "..") as overlayfs would: a whiteout, an
 * opaque directory and anything that is not a directory hide what is below. Symbolic links are not
 * followed. Returns 1 and *ret, 0 if nothing is found, or -errno with e filled.
 */
MUST_CHECK int lower_find(
	const struct lower *l, const char *path, struct lower_hit *ret, struct err *e);

/*
 * Open the regular file of a layer for reading. A user who sees it in an ID-mapped mount as an own
 * file may hold a lease on it (fcntl(2)): the kernel ends the lease, at the latest after
 * fs.lease-break-time seconds, and the function waits for that. path: for messages.
 */
MUST_CHECK int lower_open(const struct lower_hit *hit, const char *path, int *ret, struct err *e);

/*
 * Does the entry name of the directory fd, itself a directory or an empty file, have an overlayfs
 * mark ("opaque", "whiteout") with this value? user: user.overlay.*, else trusted.overlay.*.
 */
bool lower_has_mark(int fd, const char *name, bool user, const char *what, char want);

/* Is the entry name of the directory fd, with the attributes st, a whiteout? */
bool lower_is_whiteout(const struct stat *st, int fd, const char *name, bool user);

/* Open directories: one path in all the layers that contribute to it, topmost first. */
struct lower_dirs {
	int *items;
	size_t len, cap;
};
struct lower_level {
	size_t end; /* length of its path, which is a prefix of lower_walk.path */
	struct lower_dirs dirs;
};

/* A regular file of the layers below, identified by its inode. */
struct lower_file {
	dev_t dev;
	ino_t ino;
	char blocks[DIGEST_HEX], whole[DIGEST_HEX]; /* digests of its content, or "" */
	void *copy;                                 /* for the caller's use */
};

/*
 * State for many lookups. The directories that lead to the last path stay open, so that looking up
 * a whole tree, parents first, takes time in proportion to its size. At most open_max descriptors
 * are kept, those of the deepest directories; others are opened again. Bytes read from files are
 * counted in read, and more than limit are refused (-EFBIG).
 */
struct lower_walk {
	struct lower lower;
	struct buf path; /* the last path */
	VEC(struct lower_level) levels;
	size_t closed;         /* so many levels at the beginning are closed */
	size_t open, open_max; /* descriptors */
	void *files;           /* tsearch(3) of struct lower_file */
	uint64_t read, limit;  /* bytes; the caller sets limit */
};

/* The descriptors of l must stay open. */
void lower_walk_begin(struct lower_walk *w, const struct lower *l);
void lower_walk_end(struct lower_walk *w);

#define scoped_walk __attribute__((cleanup(lower_walk_end)))

/* Like lower_find(), for one of many lookups. */
MUST_CHECK int lower_walk_find(
	struct lower_walk *w, const char *path, struct lower_hit *ret, struct err *e);

/* Set *ret to the one struct for the file, which w owns. Returns 0 or -ENOMEM with e filled. */
MUST_CHECK int lower_walk_file(
	struct lower_walk *w, const struct lower_hit *hit, struct lower_file **ret, struct err *e);

#endif
