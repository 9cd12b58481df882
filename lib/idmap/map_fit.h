/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_MAP_FIT_H
#define IDMAP_MAP_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "id_spans.h"
#include "idmap.h"

/*
 * Does a map suit the tree that it is to show? These functions decide it by a few ids, without
 * reading the tree. If it does not, they describe in e what does not fit, for a warning
 * (log_warn_err()): what, on the tree's name, why, and what to try. Otherwise they leave e.
 */
enum map_fit {
	MAP_FITS,
	MAP_SWAPPED, /* the map has the id on the seen side only, and maps to it from above */
	MAP_SHIFTED, /* the tree was shifted before: the map shows an id below as this one, or it is
	                a subordinate id (/etc/subuid, /etc/subgid) that the map does not cover */
	MAP_OUTSIDE, /* the map does not cover the id */
};

/* By the owner of the top of the tree, on disk. */
enum map_fit map_fit_owner(
	const struct idmap *m, uint32_t uid, uint32_t gid, const char *on, struct err *e);

/* By the ids of its files. */
enum map_fit map_fit_ids(
	const struct idmap *m, const struct id_use *ids, const char *on, struct err *e);

/*
 * Propose a seen id for a disk id that the map does not cover: one that continues the extent below
 * it, else one after all extents. Returns 4294967295 if there is none.
 */
uint32_t map_fit_room(const struct idmap *m, bool group, uint32_t id);

#endif
