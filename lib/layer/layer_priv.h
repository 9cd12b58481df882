/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_PRIV_H
#define LAYER_LAYER_PRIV_H

#include <string.h>

#include "../base/buf.h"
#include "../base/vec.h"
#include "../tar/whiteout.h"
#include "layer.h"
#include "layer_tally.h"
#include "layer_tree.h"
#include "writer.h"

/* The state of a layer, for the files layer*.c. */

/*
 * A hard link to a file of a lower layer that a later entry replaced. The target must exist
 * nevertheless.
 */
struct lost_link {
	const char *target;
	struct node *node;
};

/* A directory in the second root: what the archive has below base (layer_aside.h). */
struct aside_dir {
	struct node *node;
	const char *base;
};

/*
 * An entry that is more than a node: a whiteout or an opaque marker, or a hard link, which is
 * created again when the layers below are known.
 */
struct later {
	uint32_t seq;        /* the number of the entry */
	bool opaque;         /* node is an opaque directory; else a name that is whited out */
	struct node *node;   /* NULL: path */
	struct node *target; /* node is a hard link to it */
	const char *path;    /* of an entry behind a link: its path in the archive */
	const char *link;    /* path is a hard link to this path; or NULL */
};

struct layer {
	struct layer_options o;
	struct layer_counts own_counts;
	struct layer_tree tree;
	struct writer w;
	bool root_opaque;
	bool rooted_caps; /* an entry has a capability of version 3 */
	struct layer_totals own_totals;
	struct layer_tally tally;
	struct id_use ids;
	struct node *dir; /* the directory of the last entry, since the next is often in it too */
	struct buf dir_path;
	struct buf deps; /* lines of layer_deps_add() */
	VEC(struct lost_link) lost;
	uint32_t seq;     /* the number of the entry that is being added, from 1 */
	struct node *top; /* the root that paths of entries begin at */
	bool has_links;   /* a symbolic link was added, or a hard link that may be one */
	bool unsure;      /* entries with the same path may have different places, and entries with
	                     different paths the same place. Set at the first entry whose path has a
	                     link, or a directory that is not listed */
	bool held;        /* an entry is behind a link, and has no place yet */
	bool moved;       /* links led an entry to another place than its path */
	bool settled;     /* no path of a node leads through a link any more (layer_replay()) */
	VEC(struct aside_dir) aside;
	VEC(struct later) later;
};

/* Was the last entry in the same directory as path? */
static inline bool layer_is_cached(const struct layer *l, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	return l->dir && l->dir_path.len == len && !memcmp(buf_get(&l->dir_path), path, len);
}

static inline bool layer_is_whiteout(const char *name, size_t len)
{
	return len >= sizeof(WHITEOUT_PREFIX) - 1 &&
		!memcmp(name, WHITEOUT_PREFIX, sizeof(WHITEOUT_PREFIX) - 1);
}

/* Add n to one of the counts, and return its previous value. */
#define layer_count(l, what, n) __atomic_fetch_add(&(l)->o.counts->what, (n), __ATOMIC_RELAXED)

#endif
