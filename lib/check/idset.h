/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_IDSET_H
#define CHECK_IDSET_H

#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/idmap.h"

/*
 * A set of ids to which several threads may add at the same time. Needs 8 KiB for each aligned
 * block of 65,536 ids of which at least one is in the set. Zero-initialise.
 */
struct idset {
	uint64_t *pages[65536];
};

/* Returns 0 or -ENOMEM. */
MUST_CHECK int idset_add(struct idset *s, uint32_t id);

typedef VEC(struct idrange) idrange_vec;

/*
 * Append the ids to ret as identity ranges in ascending order. If there are more than max ranges
 * (max >= 1), those with the narrowest gaps between them are joined. Returns the number of ids that
 * this added to the ranges without being in the set, or -ENOMEM.
 */
MUST_CHECK int64_t idset_ranges(const struct idset *s, size_t max, idrange_vec *ret);

void idset_done(struct idset *s);

#endif
