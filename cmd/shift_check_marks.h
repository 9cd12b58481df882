/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_SHIFT_CHECK_MARKS_H
#define CMD_SHIFT_CHECK_MARKS_H

#include <stdint.h>

#include "../lib/base/err.h"
#include "../lib/check/compare.h"
#include "../lib/store/store.h"

/*
 * Does the layer at path (store_image_layers()) hide names by marks, which only one kind of mount
 * reads? Returns 1 with *ret filled, 0, or -errno with e filled.
 */
MUST_CHECK int check_layer_marks(
	const struct store *s, const char *path, struct finding *ret, struct err *e);

/*
 * Look for such layers in the image store at fd (image_store.h), whose name is path. found gets
 * each finding and the path of the layer below the store. The number of directories is added to
 * *dirs, unless dirs is NULL. Returns 0 or -errno with e filled.
 */
MUST_CHECK int check_store_marks(int fd, const char *path,
	void (*found)(struct finding *f, const char *path, void *arg), void *arg, uint64_t *dirs,
	struct err *e);

#endif
