/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_REFUSE_H
#define LAYER_LAYER_REFUSE_H

#include <stdbool.h>

#include "../base/err.h"
#include "layer_tree.h"

/*
 * Fill e: the layer has entries below n, which it does not list and which is a file in the layers
 * below. Returns -ENOTDIR.
 */
MUST_CHECK int layer_refuse_parent(const struct node *n, struct err *e);

/*
 * Refuse what cannot be a hard link: n is a link to target, which the layers below have (below) or
 * not. own: what the layer has there, or a directory below; or NULL. Returns 0 or -errno with e
 * filled.
 */
MUST_CHECK int layer_check_link(const struct node *n, const char *target, const struct node *own,
	bool below, struct err *e);

/* Fill e: on is a hard link to the directory target. Returns -EPERM. */
MUST_CHECK int layer_refuse_link_to_dir(const char *on, const char *target, struct err *e);

/* Fill e: the hard link on would replace the directory that its target is in. Returns -EINVAL. */
MUST_CHECK int layer_refuse_replacing(const char *on, const char *target, struct err *e);

#endif
