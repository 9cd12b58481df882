/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OVERLAY_OVERLAP_H
#define MOUNT_OVERLAY_OVERLAP_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "plan.h"

/*
 * Find layers that are inside the upper or contain it: writes to the stack would then change a
 * layer that OverlayFS assumes to be constant. The kernel does not notice this when it gets
 * separate clones. Zero-initialise, free with overlap_done().
 */
struct overlap {
	VEC(struct overlap_dir {
		dev_t dev;
		ino_t ino;
		size_t layer; /* the layer that this is, or is above of */
		bool above;
	})
	dirs;
};

/* Note a layer (the original directory, not its clone) and the directories above it. */
MUST_CHECK int overlap_add(struct overlap *o, int layer, size_t index, struct err *e);

/*
 * Refuse (-ELOOP) the upper or work directory dir, at path, if it is a layer, is inside one, or
 * contains one.
 */
MUST_CHECK int overlap_check(const struct overlap *o, const struct mount_plan *p, int dir,
	const char *path, struct err *e);

void overlap_done(struct overlap *o);

#endif
