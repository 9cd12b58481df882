/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_MERGE_H
#define LAYER_LAYER_MERGE_H

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

#endif
