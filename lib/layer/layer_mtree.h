/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_MTREE_H
#define LAYER_LAYER_MTREE_H

#include "../base/err.h"
#include "layer.h"

/*
 * Write the headers of the layer's entries as mtree(5), through libarchive, to a new file
 * dirfd/name. There is one line for each entry, with type, uid, gid, mode, size, time, link and
 * device. Whiteouts have the ".wh." names of the archive; those in directories that no layer has
 * are omitted. Returns 0 or -errno with e filled (-EFBIG: larger than MTREE_SIZE_MAX).
 */
MUST_CHECK int layer_mtree_write(const struct layer *l, int dirfd, const char *name, struct err *e);

/*
 * Write a copy of the specification old, and the whiteouts of l: of a layer of layer_reform(),
 * those that the layer did not have. Returns as layer_mtree_write() does.
 */
MUST_CHECK int layer_mtree_extend(
	const struct layer *l, int old, int dirfd, const char *name, struct err *e);

#endif
