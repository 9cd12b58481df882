/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_LINKS_H
#define LAYER_LAYER_LINKS_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "layer_tree.h"

/*
 * Follow symbolic links in the view of a layer over those below, as openat2(2) does with
 * RESOLVE_IN_ROOT: absolute targets begin at the root of the view, and ".." stops there. Only the
 * path is computed; no file is opened through a link.
 */

/* What the layers below have at a path. */
struct links_below {
	/*
	 * Sets *ret_type to the type of the object at the path (S_IFMT bits; 0: there is none), and
	 * appends the target of a symbolic link to ret_target. No component of the path is a link.
	 * Returns 0 or -errno with e filled.
	 */
	int (*look)(void *arg, const char *path, mode_t *ret_type, struct buf *ret_target,
		struct err *e);
	void *arg;
};

/* A directory on the way. */
struct links_step {
	const struct node *own;  /* in the tree of the layer; or NULL */
	struct node *seen;       /* in links.seen */
	const struct node *mark; /* in links.marks; or NULL */
	size_t len;              /* of its path */
	bool covered;            /* the layer hides what the layers below have in it */
	bool marked;             /* a directory of links.marks hides it */
};

struct links {
	const struct layer_tree *own;   /* the layer */
	const struct layer_tree *marks; /* a tree with more whiteouts of the layer; or NULL */
	const struct links_below *below;
	struct layer_tree seen; /* what was looked up below: NODE_ASKED nodes with mode and link */
	struct buf path;        /* the result of the last links_follow() */
	unsigned followed;      /* number of links that it followed */
	VEC(struct links_step) steps;
};

/* own, marks and below must outlive s. Returns 0 or -errno with e filled. */
MUST_CHECK int links_begin(struct links *s, const struct layer_tree *own,
	const struct layer_tree *marks, const struct links_below *below, struct err *e);
void links_end(struct links *s);

/*
 * Find the directory that the first len bytes of path lead to, following every link. Sets s->path
 * to its path, without a leading slash. Names that do not exist are kept, and ".." removes the name
 * before it. on is the entry, for messages. Returns 0 or -errno with e filled: -ELOOP (more than 40
 * links), -ENOTDIR (a file is on the way), -ENAMETOOLONG, -ENOMEM. ret_own may be NULL; with
 * -ENOTDIR, *ret_own says whether that file belongs to the layer itself.
 */
MUST_CHECK int links_follow(struct links *s, const char *path, size_t len, const char *on,
	bool *ret_own, struct err *e);

#endif
