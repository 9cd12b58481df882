/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OVERLAY_UPPER_H
#define MOUNT_OVERLAY_UPPER_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "plan.h"

/*
 * Where a stack keeps its changes. OverlayFS wants upper and work directory under one mount (it
 * renames between them), so both are reached through one clone, of the closest directory above
 * both.
 */
struct upper {
	int mnt;           /* that clone (or a tmpfs), detached, with its map; -1: no upper */
	int upper, work;   /* O_PATH, in mnt */
	int found[2];      /* the same where they were found, of those on a disk */
	bool plain;        /* mnt has no map, and upper stores seen ids */
	bool switch_ids;   /* the overlay must be created as uid:gid, */
	uint32_t uid, gid; /* ids that mnt's map shows for something on the disk */
	struct upper_made {
		int dirfd;
		char *name;
	} made[2]; /* upper and work, where they were created by us */
};

#define UPPER_INIT \
	((struct upper){ .mnt = -1, \
		.upper = -1, \
		.work = -1, \
		.found = { -1, -1 }, \
		.made = { { -1, NULL }, { -1, NULL } } })

/*
 * Prepare upper and work directory of a plan that has them, creating what is missing: upper is born
 * with the owner and mode of the topmost layer's root, as ids of the disk. lower: that root as its
 * clone shows it; lower_raw: as it is found without the clone. A portable upper (one under the map)
 * in a place that others can reach is refused
 * (-EPERM): the set-uid files of the stack's root are set-uid files of disk id 0 there.
 */
int upper_prepare(
	const struct mount_plan *p, int lower, int lower_raw, struct upper *ret, struct err *e);

/* Was the upper or the work directory there before? Then it may be in use elsewhere. */
bool upper_is_old(const struct upper *u);

/* Remove what was created, with what OverlayFS left in it. */
void upper_undo(struct upper *u);

/* Close what is needed for mounting alone; what was created is remembered. */
void upper_close(struct upper *u);

void upper_done(struct upper *u);

#endif
