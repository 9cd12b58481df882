/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_INSIDE_H
#define MOUNT_INSIDE_H

#include "../base/err.h"
#include "../base/vec.h"
#include "plan.h"

/* The mounts that a plan has inside another one, each detached. Zero-initialise. */
struct inside {
	VEC(int) fds; /* in the order of the plan */
};

/*
 * Attach the mounts to their places in top, a detached mount, and replace *top by the tree of all
 * of them, detached as well. This happens in a private mount namespace, since older kernels cannot
 * attach anything to a detached mount (Linux 6.15 can). No symbolic link on the way to a place is
 * followed. A place that is missing is created, like the directory that it is in; it stays there
 * after a failure. -EROFS, with what to do: that is not possible.
 */
MUST_CHECK int inside_attach(
	const struct mount_plan *p, struct inside *in, int *top, struct err *e);

/* Verify an attached tree: each mount is at its place, with its flags. -EIO: it is not. */
MUST_CHECK int inside_verify(const struct mount_plan *p, int top, struct err *e);

void inside_done(struct inside *in);

static inline void cleanup_inside(struct inside *in)
{
	inside_done(in);
}

#define scoped_inside __attribute__((cleanup(cleanup_inside)))

#endif
