/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_ASIDE_H
#define LAYER_LAYER_ASIDE_H

#include <stdbool.h>

#include "../base/err.h"
#include "entry.h"
#include "layer_priv.h"

/*
 * The place of an entry may depend on symbolic links: on links of the layers below, which are not
 * known while a layer is read, and on links of the layer itself, whose relative targets may lead
 * through links of the layers below. Entries behind links of the layer itself are therefore held in
 * a directory beside that of the layer. An entry that a later one replaces is moved there, too, if
 * both could have different places. layer_replay() moves everything to its place.
 */

/* Does a component of the path before the last, or of a hard link's target, name a link? */
bool layer_aside_needed(const struct layer *l, const struct layer_entry *en);

/* Hold a hard link, or a whiteout or opaque marker. Returns 0 or -errno with e filled. */
MUST_CHECK int layer_aside_hold_later(struct layer *l, const struct layer_entry *en, struct err *e);

/*
 * Begin to hold an entry of any other type, which is behind a link. Until layer_aside_end(), the
 * paths of entries begin at the second root; ret_path gets the path of this entry there. Returns 0
 * or -errno with e filled.
 */
MUST_CHECK int layer_aside_begin(
	struct layer *l, const struct layer_entry *en, struct buf *ret_path, struct err *e);
void layer_aside_end(struct layer *l);

/*
 * Move n, which is being replaced, aside with everything below it. The node n remains in its place,
 * and is empty. Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_aside_keep(struct layer *l, struct node *n, struct err *e);

/* Keep the attributes of a directory that another entry lists again. Returns 0 or -ENOMEM. */
MUST_CHECK int layer_aside_keep_attributes(struct layer *l, struct node *dir, struct err *e);

/*
 * Record an entry that is more than a node (struct later of layer_priv.h). Returns 0 or -ENOMEM
 * with e filled.
 */
MUST_CHECK int layer_aside_later(struct layer *l, struct later it, struct err *e);

/*
 * Append the path that the archive has for the node, which is in the tree or was moved aside.
 * Returns 0 or -ENOMEM with e filled.
 */
MUST_CHECK int layer_aside_path(
	const struct layer *l, const struct node *n, struct buf *ret, struct err *e);

#endif
