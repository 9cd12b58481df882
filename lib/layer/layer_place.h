/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_PLACE_H
#define LAYER_LAYER_PLACE_H

#include <stdbool.h>

#include "../base/err.h"
#include "entry.h"
#include "layer_priv.h"

/*
 * Find the directory that contains the entry. make: missing parents are created on disk. Otherwise
 * they are only added to the tree, because it is not known before layer_resolve_lower() whether a
 * whiteout needs them. Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_place_parent(
	struct layer *l, const struct layer_entry *en, bool make, struct node **ret, struct err *e);

/*
 * Make room for an entry that is not a directory: create its parents, remove what it replaces, and
 * return its node. Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_place(
	struct layer *l, const struct layer_entry *en, struct node **ret, struct err *e);

/*
 * Make room for a directory as layer_place() does, but keep a directory that exists there. Its
 * attributes are those of an earlier entry, or provisional ones. Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_place_dir(
	struct layer *l, const struct layer_entry *en, struct node **ret, struct err *e);

#endif
