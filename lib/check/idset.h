/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_IDSET_H
#define CHECK_IDSET_H

#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/idmap.h"

/*
 * A set of ids, which several threads may add to at the same time. Takes 8 KiB for each 65,536 ids
 * that have one in it. Zero-initialise.
 */
struct idset {
	uint64_t *pages[65536];
};

/* Returns 0, or -ENOMEM. */
int idset_add(struct idset *s, uint32_t id);

typedef VEC(struct idrange) idrange_vec;

/*
 * The ids as ranges that are seen as they are on disk, ascending, appended to ret. If more than max
 * ranges come out, those with the narrowest gaps between them are joined; max is at least 1.
 * Returns how many ids that added which are not in the set, or -ENOMEM.
 */
int64_t idset_ranges(const struct idset *s, size_t max, idrange_vec *ret);

void idset_done(struct idset *s);

#endif
