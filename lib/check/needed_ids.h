/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_NEEDED_IDS_H
#define CHECK_NEEDED_IDS_H

#include <stdint.h>

#include "../base/err.h"
#include "../idmap/idmap.h"

/* Collects the ids that trees use: owners, ids in ACLs, and root ids of file capabilities. */
struct needed_ids;

/* NULL if out of memory. */
struct needed_ids *needed_ids_new(void);
void needed_ids_free(struct needed_ids *c);

/*
 * Add the ids of the tree below root (O_PATH suffices) as this mount shows them. Mounts below root
 * are skipped, and so are files that vanish meanwhile. threads: 0 for one per processor. Returns 0,
 * or -errno as soon as something cannot be read.
 */
MUST_CHECK int needed_ids_add_tree(struct needed_ids *c, int root, unsigned threads, struct err *e);

/* Add only the ids in ACLs and capabilities. */
MUST_CHECK int needed_ids_add_tree_attrs(
	struct needed_ids *c, int root, unsigned threads, struct err *e);

/* Add one owner, for example from a specification. Returns 0 or -ENOMEM. */
MUST_CHECK int needed_ids_add_owner(
	struct needed_ids *c, uint32_t uid, uint32_t gid, struct err *e);

/* The number of files that were read. */
uint64_t needed_ids_entries(const struct needed_ids *c);

/*
 * Make the smallest map in which each of these ids is seen as itself. The kernel limits the number
 * of ranges in a map, so it may include other ids: *ret_added is their number. The caller frees
 * *ret. Returns 0 or -errno (-ENODATA: there are no ids).
 */
MUST_CHECK int needed_ids_map(
	const struct needed_ids *c, struct idmap *ret, uint64_t *ret_added, struct err *e);

#endif
