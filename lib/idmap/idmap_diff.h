/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_IDMAP_DIFF_H
#define IDMAP_IDMAP_DIFF_H

#include "idmap.h"

/* A run of disk ids that two maps translate differently. */
struct iddiff {
	uint32_t disk, count;
	bool first, second; /* does the map contain these ids? (at least one of both does) */
	uint32_t first_seen, second_seen; /* the seen id of the first one */
};

/*
 * Call fn with each such run of one kind, in ascending order. If fn returns other than 0, stop and
 * return that.
 */
MUST_CHECK int idranges_diff(const struct idranges *a, const struct idranges *b,
	int (*fn)(const struct iddiff *d, void *arg), void *arg);

#endif
