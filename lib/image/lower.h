/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_LOWER_H
#define IMAGE_LOWER_H

#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "layer.h"

/* The topmost object of a path in the merged view of finished layers. */
struct lower_hit {
	int fd;              /* O_PATH: the directory that holds it; close it */
	char name[256];      /* in that directory; "." for the root */
	struct stat st;
};

#define LOWER_HIT_INIT ((struct lower_hit){ .fd = -1 })

static inline void cleanup_lower_hit(struct lower_hit *h)
{
	cleanup_fd(&h->fd);
}

#define scoped_hit __attribute__((cleanup(cleanup_lower_hit)))

/*
 * Look path ("" is the root; components that are no "." or "..") up as overlayfs would: a whiteout, an
 * opaque directory or anything that is no directory hides what is below it. Symbolic links are not
 * followed. 1 and *ret, 0 when there is nothing, -errno.
 */
int lower_find(const struct lower *l, const char *path, struct lower_hit *ret, struct err *e);

/*
 * The facts that a layer can depend on, as one line each. kind: "dir" (is the path a directory?), "meta" (what
 * attributes has the directory?), "file" (what is it, content and all, that a hard link would join?).
 */
int lower_answer(const struct lower *l, const char *kind, const char *path, struct buf *ret, struct err *e);

/*
 * A line of what the layer owes to the options. kind: "caps" (what becomes of capabilities of version 3?), "devices" (are
 * they left out?), "ids" (which are there?).
 */
void lower_answer_options(const char *kind, const struct layer_options *o, struct buf *ret);

/* The same for what was found already; hit NULL: nothing. */
int lower_answer_hit(const struct lower *l, const char *kind, const char *path, const struct lower_hit *hit,
		     struct buf *ret, struct err *e);

#endif
