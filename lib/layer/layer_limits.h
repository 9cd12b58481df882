/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_LIMITS_H
#define LAYER_LAYER_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"
#include "layer.h"

/* The limits of image-unpack unless options change them. */
extern const struct layer_limits layer_default_limits;

/*
 * Fill e for a layer (shared: for all layers together) that exceeds the limit which option sets:
 * "--max-bytes" or "--max-entries". on is the entry. Returns -EFBIG.
 */
MUST_CHECK int layer_limits_exceeded(
	const char *on, bool shared, const char *option, uint64_t limit, struct err *e);

/* Count an entry. Returns 0, or -EFBIG with e filled beyond the limit. */
MUST_CHECK int layer_limits_count_entry(struct layer *l, const char *on, struct err *e);

/*
 * Count a whiteout of a name that the directory on hides: it is an entry on disk, but none of the
 * archive. Returns 0, or -EFBIG with e filled beyond the limit.
 */
MUST_CHECK int layer_limits_count_hidden(struct layer *l, const char *on, struct err *e);

/*
 * Count bytes that stay in memory until layer_free(). Their number is limited because a compressed
 * archive can be a thousand times smaller than its content. Returns 0, or -EFBIG with e filled
 * beyond the limit.
 */
MUST_CHECK int layer_limits_count_kept(
	struct layer *l, const char *on, size_t bytes, struct err *e);

#endif
