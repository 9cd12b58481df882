/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_REPLAY_H
#define LAYER_LAYER_REPLAY_H

#include "../base/err.h"
#include "layer_links.h"
#include "layer_priv.h"

/*
 * Apply the entries of a layer again when the layers below are known, in the order of the archive
 * but without reading it again. The path of each entry is followed through the symbolic links that
 * exist at that point, and its file is renamed to the place where the path leads. Sets l->settled
 * to true. It must not be called between writer_enter() and writer_leave(). Returns 0 or -errno
 * with e filled.
 */
MUST_CHECK int layer_replay(struct layer *l, const struct links_below *below, struct err *e);

#endif
