/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OVERLAY_H
#define MOUNT_OVERLAY_H

#include "../base/err.h"
#include "overlay_upper.h"
#include "plan.h"

/* A stack, detached. Start with OVERLAY_INIT, free with overlay_done(). */
struct overlay {
	int fd;             /* the mount */
	const char *method; /* "fds" or "names" */
	bool upper_plain;   /* upper stores seen ids, as requested or because it must */
	struct upper upper;
};

#define OVERLAY_INIT ((struct overlay){ .fd = -1, .upper = UPPER_INIT })

/*
 * Assemble the stack of a plan, detached: each layer is a clone with its map; upper and work
 * directory are in one clone with theirs. The owner of the stack's root, and that the stack is
 * writable if it has an upper, are verified.
 *
 * OverlayFS gets its layers as descriptors (Linux 6.15 for detached mounts). Where that fails, it
 * gets them by name, in a private mount namespace of a thread where the clones are attached to a
 * tmpfs. The environment variable SHIFTBOX_OVERLAY_WAY, "fds" or "names", restricts it to one
 * method.
 */
MUST_CHECK int overlay_assemble(const struct mount_plan *p, struct overlay *ret, struct err *e);

/* Remove what was created on a disk for the stack. */
void overlay_undo(struct overlay *o);

void overlay_done(struct overlay *o);

static inline void cleanup_overlay(struct overlay *o)
{
	overlay_done(o);
}

#define scoped_overlay __attribute__((cleanup(cleanup_overlay)))

#endif
