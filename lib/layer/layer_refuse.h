/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_REFUSE_H
#define LAYER_LAYER_REFUSE_H

#include <stdbool.h>

#include "../base/err.h"
#include "layer_tree.h"

/*
 * Report that the layer has entries below n, a parent that the layer does not list and that is a
 * file in the layers below. Returns -ENOTDIR with e filled.
 */
MUST_CHECK int layer_refuse_parent(const struct node *n, struct err *e);

/*
 * Check that n can be a hard link to the path target. below: the layers below have a file there.
 * own: the object of the layer itself there, or a directory of the layers below; or NULL. Returns 0
 * or -errno with e filled: -EPERM (a directory), -EINVAL (n would replace the directory that target
 * is in), -ENOENT (there is no such file, or it comes later in the layer).
 */
MUST_CHECK int layer_check_link(const struct node *n, const char *target, const struct node *own,
	bool below, struct err *e);

/* Report that on is a hard link to the directory target. Returns -EPERM with e filled. */
MUST_CHECK int layer_refuse_link_to_dir(const char *on, const char *target, struct err *e);

/*
 * Report that the hard link on would replace the directory that its target is in. Returns -EINVAL
 * with e filled.
 */
MUST_CHECK int layer_refuse_replacing(const char *on, const char *target, struct err *e);

#endif
