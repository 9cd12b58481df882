/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OVERLAY_WAYS_H
#define MOUNT_OVERLAY_WAYS_H

#include <stdbool.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "plan.h"
#include "upper.h"

/* How OverlayFS is given what it stacks. For overlay.c alone. */

struct stack {
	const struct mount_plan *plan;
	VEC(int) lowers;            /* clones, topmost first */
	const struct upper *upper;  /* NULL: read-only */
	bool userxattr;
	bool check_unused;          /* the upper was used before: refuse it (-EBUSY) when it still is */
};

struct overlay_way {
	const char *name;
	/*
	 * Make the overlay, detached, into *ret_fd. On failure *ret_other_way tells whether it is this way
	 * that this kernel does not have, so that another may work.
	 */
	int (*create)(const struct stack *s, int *ret_fd, bool *ret_other_way, struct err *e);
};

/* The preferred one first. */
extern const struct overlay_way overlay_ways[2];

#endif
