/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_PLACE_H
#define LAYER_LAYER_PLACE_H

#include <stdbool.h>

#include "../base/err.h"
#include "entry.h"
#include "layer_priv.h"

/* Give a directory that the layer does not list its provisional attributes: 0:0, mode 0755. */
void layer_place_imply_dir(struct node *n);

/*
 * Find the directory that contains the entry. Missing parents are created on disk (make), or only
 * added to the tree: whether a whiteout needs them is not known before layer_resolve_lower().
 * Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_place_parent(
	struct layer *l, const struct layer_entry *en, bool make, struct node **ret, struct err *e);

/*
 * Remove what the layer has of this name, and everything below it, but keep a whiteout of the name.
 * Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_place_replace(struct layer *l, struct node *n, struct err *e);

/*
 * Make room for an entry that is not a directory: create its parents, remove what it replaces, and
 * return its node. Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_place(
	struct layer *l, const struct layer_entry *en, struct node **ret, struct err *e);

#endif
