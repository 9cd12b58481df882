/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_READBACK_H
#define LAYER_LAYER_READBACK_H

#include "../base/err.h"
#include "../idmap/idmap.h"
#include "layer.h"

/*
 * Verify a finished layer that was written through an ID-mapped mount: each file must have its type
 * and the disk id to which the map translates its id. dir is the layer's directory on the same
 * filesystem without that mount. Returns 0 or -errno with e filled (-EIO: a file differs).
 */
MUST_CHECK int layer_read_back(
	struct layer *l, const struct layer_dir *dir, const struct idmap *map, struct err *e);

#endif
