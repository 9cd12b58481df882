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
 * A hard link to a file of a lower layer that a later entry replaced. The target is still
 * required to have existed.
 */
struct lost_link {
	const char *target;
	struct node *node;
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
};

static inline bool layer_is_whiteout(const char *name, size_t len)
{
	return len >= sizeof(WHITEOUT_PREFIX) - 1 &&
		!memcmp(name, WHITEOUT_PREFIX, sizeof(WHITEOUT_PREFIX) - 1);
}

/* Add n to one of the counts, and return its previous value. */
#define layer_count(l, what, n) __atomic_fetch_add(&(l)->o.counts->what, (n), __ATOMIC_RELAXED)

#endif
