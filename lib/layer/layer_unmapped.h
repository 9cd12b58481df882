/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_UNMAPPED_H
#define LAYER_LAYER_UNMAPPED_H

#include "../base/buf.h"
#include "../base/err.h"
#include "entry.h"
#include "layer.h"

/*
 * Apply the policy to an entry whose owner, ACLs or capability name ids that are not available.
 * UNMAPPED_REFUSE: returns -EOVERFLOW; e names the id, the entry and a remedy. UNMAPPED_SKIP:
 * changes nothing. UNMAPPED_OVERFLOW: replaces those ids with the overflow ids and removes what
 * another owner must not get, namely the set-id bit of a replaced owner, as chown(2) does, and a
 * capability whose root is not available. Returns 1 if there were such ids, else 0.
 */
MUST_CHECK int layer_unmapped_fit(
	struct layer_entry *t, const struct layer_ids *ids, struct err *e);

/*
 * Append the available ids and the policy as a word without blanks. Two layers with the same word
 * are unpacked in the same way.
 */
void layer_unmapped_print(const struct layer_ids *ids, struct buf *ret);

#endif
