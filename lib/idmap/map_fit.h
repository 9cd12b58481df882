/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_MAP_FIT_H
#define IDMAP_MAP_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "id_spans.h"
#include "idmap.h"

/*
 * Does a map suit the tree that it will show? The functions below decide that from a few ids,
 * without reading the tree. If it does not, e describes the misfit for a warning (log_warn_err()):
 * what, on the tree's name, why, and what to try. Otherwise e is unchanged.
 */
enum map_fit {
	MAP_FITS,
	MAP_SWAPPED, /* DISK and SEEN look swapped: the id is on the seen side of the map only */
	MAP_SHIFTED, /* the tree looks shifted already: the map shows a smaller disk id as this id,
	                or the id is a subordinate id (/etc/subuid, /etc/subgid) that the map does
	                not cover */
	MAP_OUTSIDE, /* the map does not cover the id */
};

/* Judge the map by the owner that the top of the tree has on disk. */
enum map_fit map_fit_owner(
	const struct idmap *m, uint32_t uid, uint32_t gid, const char *on, struct err *e);

/*
 * If map_fit_owner() says MAP_SWAPPED, set ret to the map with DISK and SEEN exchanged, and return
 * 1. Otherwise return 0, or -errno. The caller frees ret after 1.
 */
MUST_CHECK int map_fit_swap(const struct idmap *m, uint32_t uid, uint32_t gid, struct idmap *ret);

/* Judge the map by the ids of the tree's files. */
enum map_fit map_fit_ids(
	const struct idmap *m, const struct id_use *ids, const char *on, struct err *e);

/*
 * Propose a seen id for a disk id that the map does not cover: one that continues the extent below
 * it, else one after all extents. Returns 4294967295 if there is none.
 */
uint32_t map_fit_room(const struct idmap *m, bool group, uint32_t id);

#endif
