/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_IMAGE_STORE_H
#define STORE_IMAGE_STORE_H

#include <stdbool.h>

#include "../base/err.h"
#include "../layer/layer_marks.h"

/*
 * An image store that podman reads (containers-storage, driver overlay): that of this program,
 * podman.h, or one that podman has made. Its owner may change it at any time.
 */
#define IMAGE_STORE_IMAGES "overlay-images/images.json"
#define IMAGE_STORE_LAYERS "overlay-layers/layers.json"

/* Is the directory such a store? */
bool image_store_is(int dirfd);

/*
 * Count the marks of each layer that an image of the store has, and call fn for those that have
 * any. fn returns 0 to continue. all: the sum; num_layers: how many layers were looked at. A layer
 * whose directory is not there is passed over. Returns 0, the first non-zero result of fn, or
 * -errno with e filled: -EFBIG for a list of more than JSON_MAX_BYTES.
 */
struct image_store_sum {
	struct layer_marks all;
	size_t layers;
};

MUST_CHECK int image_store_marks(int dirfd,
	int (*fn)(const char *id, const struct layer_marks *marks, void *arg), void *arg,
	struct image_store_sum *ret, struct err *e);

#endif
