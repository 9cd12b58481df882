/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_MERGE_H
#define LAYER_LAYER_MERGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "layer.h"

/*
 * Layers put on top of each other in one directory, without OverlayFS: after all are joined it
 * holds what their merged view would show, and layer_finish() gives the directories their
 * attributes. One difference: a hard link to a file of a layer below is one, and not a copy.
 */

/*
 * Make a layer that was read (layer_apply()) the lowest one: nothing is below it. Instead of
 * layer_resolve_lower().
 */
int layer_merge_base(struct layer *l, struct err *e);

/*
 * Put a layer that was read on top of l. What it whites out or replaces is removed from l's
 * directory, what it holds is renamed into that, so both must lie on one mount; whole directories
 * where l has none of the name. over is used up: it may only be freed. After an error both are
 * worth nothing.
 */
int layer_merge(struct layer *l, struct layer *over, struct err *e);

/*
 * Find a file of the merged tree for which match() returns true, given its mode and whether it has
 * a file capability: the first in the order in which the layers were merged. Returns 1 and appends
 * its path to ret_path, 0 if there is none, or -ENOMEM.
 */
MUST_CHECK int layer_merge_find(const struct layer *l,
	bool (*match)(mode_t mode, bool capability, void *arg), void *arg, struct buf *ret_path);

#endif
