/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_UNMAPPED_H
#define LAYER_LAYER_UNMAPPED_H

#include <stdbool.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "entry.h"
#include "layer.h"

/*
 * Make the entry one whose owner, ACLs and capability name only ids that there are, by the policy:
 * UNMAPPED_REFUSE is -EOVERFLOW, with the id, its way out and the entry in e; with UNMAPPED_SKIP
 * nothing is changed; UNMAPPED_OVERFLOW puts the overflow ids in their place, and takes away what
 * must not change hands: the set-id bit of that owner, as chown(2) does, and a capability whose
 * root there is not. Returns 1 when there were such ids, 0 when all are there.
 */
int layer_unmapped_fit(struct layer_entry *t, const struct layer_ids *ids, struct err *e);

/*
 * The ids that there are and the policy, in a word without blanks: two layers for which it is the
 * same lack the same.
 */
void layer_unmapped_print(const struct layer_ids *ids, struct buf *ret);

#endif
