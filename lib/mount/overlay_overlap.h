/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OVERLAY_OVERLAP_H
#define MOUNT_OVERLAY_OVERLAP_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "plan.h"

/*
 * Layers that lie in the upper, or the other way round: writes then change layers under OverlayFS's
 * feet, and a kernel that is given separate clones does not notice. Zero-initialise, free with
 * overlap_done().
 */
struct overlap {
	VEC(struct overlap_dir {
		dev_t dev;
		ino_t ino;
		size_t layer;
		bool above;
	})
	dirs;
};

/* Take note of a layer (not of its clone), and of the directories above it. */
int overlap_add(struct overlap *o, int layer, size_t index, struct err *e);

/*
 * Refuse (-ELOOP) the upper or work directory dir, found at path, when it is a layer, lies in one,
 * or has one in it.
 */
int overlap_check(const struct overlap *o, const struct mount_plan *p, int dir, const char *path,
	struct err *e);

void overlap_done(struct overlap *o);

#endif
