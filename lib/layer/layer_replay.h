/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_REPLAY_H
#define LAYER_LAYER_REPLAY_H

#include "../base/err.h"
#include "layer_links.h"
#include "layer_priv.h"

/*
 * Apply the entries of a layer again, in their order and without reading them again, now that the
 * layers below are known: each path is followed through the symbolic links that there are when its
 * turn comes, and each file is renamed to where that leads. Afterwards l->settled is set. It must
 * not be called between writer_enter() and writer_leave(). Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_replay(struct layer *l, const struct links_below *below, struct err *e);

#endif
