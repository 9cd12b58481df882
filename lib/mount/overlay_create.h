/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OVERLAY_CREATE_H
#define MOUNT_OVERLAY_CREATE_H

#include <stdbool.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "overlay_upper.h"
#include "plan.h"

/* How OverlayFS is given what it stacks. For overlay.c alone. */

struct stack {
	const struct mount_plan *plan;
	VEC(int)
	lowers;    /* clones, topmost first; or the first n_in_tree: directories of one clone */
	int tree;  /* that clone, or -1 */
	int store; /* of an image: the directory that holds its layers, or -1 */
	size_t n_in_tree;
	const struct upper *upper; /* NULL: read-only */
	bool userxattr;
	bool check_unused; /* the upper was used before: refuse it (-EBUSY) when it still is */
};

/* The name of layer i's directory, which is what mountinfo shows of a layer in the tree. */
const char *overlay_layer_name(const struct stack *s, size_t i);

/* Is it the way that failed, and not what was asked for? */
enum fallback {
	FALLBACK_NO,    /* another one would fail as well */
	FALLBACK_MAYBE, /* another one may work; if not, this failure says more */
	FALLBACK_YES,   /* this kernel does not have this way: its failure means nothing */
};

struct overlay_method {
	const char *name;
	/* Make the overlay, detached, into *ret_fd. *ret_other is set in any case. */
	int (*create)(const struct stack *s, int *ret_fd, enum fallback *ret_other, struct err *e);
};

/* The preferred one first. */
extern const struct overlay_method overlay_methods[2];

#endif
