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
 * Merge layers into one directory, without overlayfs. When all are merged, it holds what their
 * merged view would show, and layer_finish() gives the directories their attributes. The only
 * difference is that a hard link to a file of a lower layer stays a hard link, where an overlay has
 * a copy.
 */

/*
 * Make a layer the lowest one, instead of calling layer_resolve_lower(). Returns 0 or -errno with e
 * filled.
 */
MUST_CHECK int layer_merge_base(struct layer *l, struct err *e);

/*
 * Merge the layer over into l, which is below it. What over whites out or replaces is removed from
 * the directory of l, and what over contains is renamed into it (whole directories where possible),
 * so both directories must be on one mount. Afterwards over may only be freed. Returns 0 or -errno
 * with e filled; after an error neither layer is usable.
 */
MUST_CHECK int layer_merge(struct layer *l, struct layer *over, struct err *e);

/*
 * Find a file of the merged tree for which match() returns true, given its mode and whether it has
 * a file capability: the first in the order in which the layers were merged. Returns 1 and appends
 * its path to ret_path, 0 if there is none, or -ENOMEM.
 */
MUST_CHECK int layer_merge_find(const struct layer *l,
	bool (*match)(mode_t mode, bool capability, void *arg), void *arg, struct buf *ret_path);

#endif
