/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OVERLAY_H
#define MOUNT_OVERLAY_H

#include "../base/err.h"
#include "overlay_upper.h"
#include "plan.h"

/* A stack, detached. */
struct overlay {
	int fd;           /* the mount */
	const char *way;  /* "fds" or "names" */
	bool upper_plain; /* upper stores seen ids, by wish or because it must */
	struct upper upper;
};

#define OVERLAY_INIT ((struct overlay){ .fd = -1, .upper = UPPER_INIT })

/*
 * Assemble the stack of a plan, detached: every layer a clone with its map, upper and work
 * directory under one clone with theirs. It was looked at: its root's owner, and whether it is
 * writable when it should be.
 *
 * OverlayFS is given its layers by descriptor (Linux 6.15 for detached ones) or, where that fails,
 * by name in a mount namespace of a helper thread's own, where the clones are attached to a tmpfs;
 * nobody sees that either. SHIFTBOX_OVERLAY_WAY=names or =fds in the environment allows only one of
 * the two.
 */
int overlay_assemble(const struct mount_plan *p, struct overlay *ret, struct err *e);

/* Remove what was created in the filesystem for it. */
void overlay_undo(struct overlay *o);

void overlay_done(struct overlay *o);

static inline void cleanup_overlay(struct overlay *o)
{
	overlay_done(o);
}

#define scoped_overlay __attribute__((cleanup(cleanup_overlay)))

#endif
