/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_HIDE_H
#define LAYER_LAYER_HIDE_H

#include "../base/err.h"

struct layer;
struct lower_walk;

/*
 * Create whiteouts where a directory of the layer hides what the layers below have in it: because
 * it has an opaque marker or a whiteout of its own name, or replaced a file of the layer. Each name
 * that is visible there in the layers below, and that the layer does not have, gets one; so it is
 * in the layer's directories further down. overlayfs would need only one attribute on the
 * directory, but of that one there are two: a mount by root reads trusted.overlay.opaque, a mount
 * in a user namespace and one with "userxattr" read user.overlay.opaque. Each takes the other's for
 * an ordinary attribute, shows the hidden files, and copies it up. Whiteouts are the same for all.
 *
 * Every other object of the layer must exist. Records what was hidden as a dependency
 * (LAYER_DEP_HIDES). Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_hide(struct layer *l, struct lower_walk *below, struct err *e);

#endif
