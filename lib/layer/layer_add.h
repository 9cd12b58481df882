/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_ADD_H
#define LAYER_LAYER_ADD_H

#include "../base/err.h"
#include "entry.h"
#include "layer_priv.h"

/*
 * Add the entry that was read last from rd: create its file in the directory of the layer, or
 * record what it says about lower layers. Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_add(
	struct layer *l, struct entry_reader *rd, struct layer_entry *en, struct err *e);

/* Add a hard link, or a whiteout or opaque marker. Returns 0 or -errno with e filled. */
MUST_CHECK int layer_add_hardlink(struct layer *l, struct layer_entry *en, struct err *e);
MUST_CHECK int layer_add_whiteout(struct layer *l, const struct layer_entry *en, struct err *e);

#endif
