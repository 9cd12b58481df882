/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_PRIV_H
#define LAYER_LAYER_PRIV_H

#include <string.h>

#include "../base/buf.h"
#include "../base/vec.h"
#include "entry.h"
#include "layer.h"
#include "layer_tree.h"
#include "writer.h"

/*
 * A hard link to a layer below that was replaced in the same layer, and yet must have had a target.
 */
struct lost_link {
	const char *link;
	struct node *node;
};

/*
 * Shared by layer.c (entries), layer_place.c (where they go), layer_resolve.c (the layers below)
 * and layer_mtree.c.
 */
struct layer {
	struct layer_options o;
	struct layer_counts own_counts;
	struct layer_tree tree;
	struct writer w;
	bool root_opaque;
	bool rooted_caps; /* an entry has a capability of version 3 */
	bool settled;
	struct layer_totals own_totals;
	struct node *dir; /* the last entry's directory and path: most entries share them */
	struct buf dir_path;
	struct buf deps;
	VEC(struct lost_link) wanted;
};

/* How the names of whiteouts begin (OCI image-spec layer.md). */
#define LAYER_WHITEOUT ".wh."

static inline bool layer_is_whiteout(const char *name, size_t len)
{
	return len >= sizeof(LAYER_WHITEOUT) - 1 &&
		!memcmp(name, LAYER_WHITEOUT, sizeof(LAYER_WHITEOUT) - 1);
}

/* Count an entry against the limit: -EFBIG with e filled beyond. */
int layer_count_entry(struct layer *l, const char *on, struct err *e);

/* Make n the directory of a parent's name that the layer has not made itself yet: 0:0, 0755. */
void layer_imply_dir(struct node *n);

/*
 * The directory that holds the entry. Missing ones are made (make), or at first only noted: whether
 * they are needed for a whiteout's sake the layers below will tell.
 */
int layer_parent_dir(
	struct layer *l, const struct layer_entry *en, bool make, struct node **ret, struct err *e);

/* Take away what the layer had of this name, and all below it. A whiteout of the name stays one. */
int layer_replace(struct layer *l, struct node *n, struct err *e);

/* The node for an entry that is no directory, with nothing in its place. */
int layer_place(struct layer *l, const struct layer_entry *en, struct node **ret, struct err *e);

/* The node of a path in the form of layer_entry.path, or NULL. */
struct node *layer_look_up(const struct layer *l, const char *path);

/*
 * Does the layer hide what the layers below have of this path? (Where it has something itself, it
 * does not say.)
 */
bool layer_hides(const struct layer *l, const char *path);

/* Fill e: entries stand below n, which is no directory (below: its mode) in the layers below. */
int layer_refuse_parent(const struct node *n, mode_t below, struct err *e);

/* Fill e: n is a hard link to a directory, or to nothing. */
int layer_refuse_link(const struct node *n, const char *target, bool dir, struct err *e);

/* layer_unmapped_fit(), and told of: 1 when the entry is to be left out. */
int layer_fit_ids(struct layer *l, struct layer_entry *t, struct err *e);

/*
 * Say what became of an entry: a warning for the first of a kind (told: how many there were
 * before), or verbose.
 */
void layer_tell_skipped(const struct layer_entry *t, uint64_t told, const char *what);

/* Add to one of the counts, which others read while we run. It is what it was before. */
#define layer_count(l, what, n) __atomic_fetch_add(&(l)->o.counts->what, (n), __ATOMIC_RELAXED)

#endif
