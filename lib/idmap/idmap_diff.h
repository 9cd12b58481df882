/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_IDMAP_DIFF_H
#define IDMAP_IDMAP_DIFF_H

#include "idmap.h"

/* A run of disk ids that two maps do not show alike. */
struct iddiff {
	uint32_t disk, count;
	bool first, second; /* whether the maps show these ids at all (one of them does) */
	uint32_t first_seen, second_seen; /* as what the first of them is seen */
};

/*
 * Call fn with each such run of a kind, ascending, until it returns something else than 0, which is
 * then returned.
 */
MUST_CHECK int idranges_diff(const struct idranges *a, const struct idranges *b,
	int (*fn)(const struct iddiff *d, void *arg), void *arg);

#endif
