/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_APPLY_H
#define MOUNT_APPLY_H

#include "info.h"
#include "plan.h"
#include "tree.h"

/* What was mounted, read back. Free with mount_result_done(). */
struct mount_result {
	enum map_done map;        /* of a bind */
	struct mount_info info;
	bool upper_plain;         /* the upper of a stack stores seen ids */
	const char *way;          /* how a stack was given its layers: "fds" or "names"; NULL for binds */
};

/*
 * Carry out a plan: assemble it detached, verify it, create the target if that is wanted, attach, verify
 * again. On failure everything is as before: nothing is mounted, nothing that was created is left. Needs
 * CAP_SYS_ADMIN. Errors are described with their causes.
 */
int mount_apply(const struct mount_plan *p, struct mount_result *ret, struct err *e);

void mount_result_done(struct mount_result *r);

#endif
