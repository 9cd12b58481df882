/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_NEEDED_IDS_H
#define CHECK_NEEDED_IDS_H

#include <stdint.h>

#include "../base/err.h"
#include "../idmap/idmap.h"

/* The disk ids that a tree needs: owners, entries of ACLs, root ids of file capabilities. */
struct needed_ids;

struct needed_ids *needed_ids_new(void);
void needed_ids_free(struct needed_ids *c);

/*
 * Add the ids of the tree below root (O_PATH will do), as this view of it shows them; mounts below
 * it are left out, and so is what vanishes meanwhile. threads: 0 for one each processor. What
 * cannot be read ends it: -errno.
 */
int needed_ids_add_tree(struct needed_ids *c, int root, unsigned threads, struct err *e);

/* Only the ids of ACLs and capabilities. */
int needed_ids_add_tree_attrs(struct needed_ids *c, int root, unsigned threads, struct err *e);

/* Add one owner; any of the ids may come from a specification. */
int needed_ids_add_owner(struct needed_ids *c, uint32_t uid, uint32_t gid, struct err *e);

/* How many files were looked at. */
uint64_t needed_ids_entries(const struct needed_ids *c);

/*
 * The smallest map that covers them, with each id seen as itself. The kernel's limits on maps may
 * make it wider than the ids: *ret_added is how many ids it covers that were not asked for.
 * -ENODATA: there are no ids.
 */
int needed_ids_map(
	const struct needed_ids *c, struct idmap *ret, uint64_t *ret_added, struct err *e);

#endif
