/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_RESOLVE_H
#define LAYER_LAYER_RESOLVE_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/err.h"
#include "layer.h"

struct lower;
struct node;

/*
 * Resolve what depends on the layers below: parents that the layer does not list get their
 * attributes from there, hard links to their files become copies, and whiteouts are created where
 * they hide something. Records each fact used (layer_deps.h). Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_resolve_lower(struct layer *l, const struct lower *lower, struct err *e);

/*
 * Fill e: the layer has entries below n, which it does not list and which is not a directory in the
 * layers below, where its mode is below. Returns -ENOTDIR.
 */
MUST_CHECK int layer_refuse_parent(const struct node *n, mode_t below, struct err *e);

/* Fill e: n is a hard link to a directory (dir), or to a file that does not exist. */
MUST_CHECK int layer_refuse_link(const struct node *n, const char *target, bool dir, struct err *e);

#endif
