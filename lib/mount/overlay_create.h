/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OVERLAY_CREATE_H
#define MOUNT_OVERLAY_CREATE_H

#include <stdbool.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "overlay_upper.h"
#include "plan.h"

/* The methods by which OverlayFS gets its layers. For overlay.c only. */

struct stack {
	const struct mount_plan *plan;
	VEC(int) lowers;   /* clones, topmost first; the first n_in_tree: directories of tree */
	int tree;          /* a clone of the store, which holds the layers, or -1 */
	int store;         /* the store that holds the layers, or -1 */
	struct strv names; /* of the layers in it, if the plan has other names for them */
	size_t n_in_tree;
	const struct upper *upper; /* NULL: the stack is read-only */
	bool userxattr;
	bool check_unused; /* the upper existed before: refuse it (-EBUSY) if it is in use */
};

/* The last component of layer i's path; of an image's layer, its name in layers/. */
const char *overlay_layer_name(const struct stack *s, size_t i);

/* After a failure: can another method succeed? */
enum fallback {
	FALLBACK_NO,    /* the other method would fail, too */
	FALLBACK_MAYBE, /* it may succeed; if not, this method's error is the better one */
	FALLBACK_YES,   /* the kernel lacks this method: its error means nothing */
};

struct overlay_method {
	const char *name;
	/* Create the overlay, detached, into *ret_fd. *ret_fallback is always set. */
	int (*create)(
		const struct stack *s, int *ret_fd, enum fallback *ret_fallback, struct err *e);
};

/* The preferred method comes first. */
extern const struct overlay_method overlay_methods[2];

#endif
