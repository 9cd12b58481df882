/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_READBACK_H
#define LAYER_LAYER_READBACK_H

#include "../base/err.h"
#include "../idmap/idmap.h"
#include "layer.h"

/*
 * A finished layer was written through an ID-mapped mount. Has each of its files the disk id that
 * the map gives its id, and its type? parentfd: the directory that holds the layer, without that
 * mount; name: the layer in it. -EIO with e filled: the filesystem (or the kernel) did something
 * else.
 */
int layer_read_back(
	struct layer *l, int parentfd, const char *name, const struct idmap *map, struct err *e);

#endif
