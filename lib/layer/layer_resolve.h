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

#endif
