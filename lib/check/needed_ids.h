/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_NEEDED_IDS_H
#define CHECK_NEEDED_IDS_H

#include <stdint.h>

#include "../base/err.h"
#include "../idmap/idmap.h"

/* The disk ids that a tree needs: owners, entries of ACLs, root ids of file capabilities. */
struct cover;

struct cover *cover_new(void);
void cover_free(struct cover *c);

/*
 * Add the ids of the tree below root (O_PATH will do), as this view of it shows them; mounts below
 * it are left out, and so is what vanishes meanwhile. threads: 0 for one each processor. What
 * cannot be read ends it: -errno.
 */
int cover_tree(struct cover *c, int root, unsigned threads, struct err *e);

/* Only the ids of ACLs and capabilities. */
int cover_tree_attrs(struct cover *c, int root, unsigned threads, struct err *e);

/* Add one owner; any of the ids may come from a specification. */
int cover_owner(struct cover *c, uint32_t uid, uint32_t gid, struct err *e);

/* How many files were looked at. */
uint64_t cover_entries(const struct cover *c);

/*
 * The smallest map that covers them, with each id seen as itself. The kernel's limits on maps may
 * make it wider than the ids: *ret_added is how many ids it covers that were not asked for.
 * -ENODATA: there are no ids.
 */
int cover_map(const struct cover *c, struct idmap *ret, uint64_t *ret_added, struct err *e);

#endif
