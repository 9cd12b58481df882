/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OVERLAY_UPPER_H
#define MOUNT_OVERLAY_UPPER_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "plan.h"

/* What identifies an upper and its work directory on their filesystem. Zero: not known. */
struct upper_ids {
	uint64_t dev;    /* as makedev(3) */
	uint64_t ino[2]; /* of the upper and of the work directory */
};

/*
 * Where a stack stores its changes: an upper and a work directory. OverlayFS renames files between
 * them, so both must be on one mount: a clone of the deepest directory above both. Start with
 * UPPER_INIT, free with upper_done().
 */
struct upper {
	int mnt;         /* that clone, or a tmpfs: detached, with its map; -1: no upper */
	int upper, work; /* O_PATH, in mnt */
	int found[2];    /* upper and work by their own paths, without the clone; -1 in memory */
	struct upper_ids ids; /* of both; of an upper in memory zero */
	bool plain;           /* mnt has no map: upper stores seen ids */
	bool switch_ids;      /* the overlay must be created with fsuid and fsgid uid:gid, */
	uint32_t uid, gid;    /* ids that the map of mnt can store */
	struct upper_made {
		int dirfd;
		char *name;
	} made[2]; /* the upper and the work directory, if this process created them */
};

#define UPPER_INIT \
	((struct upper){ .mnt = -1, \
		.upper = -1, \
		.work = -1, \
		.found = { -1, -1 }, \
		.made = { { -1, NULL }, { -1, NULL } } })

/*
 * Prepare the upper and the work directory of a plan that has them, and create what is missing: the
 * upper gets the owner and mode of the topmost layer's root, as disk ids. lower is that root as its
 * clone shows it, lower_raw the same directory without the clone. -EPERM: the plan stores disk ids
 * and other users can reach the upper, where the set-uid files of the stack's root are set-uid
 * files of disk id 0.
 */
MUST_CHECK int upper_prepare(
	const struct mount_plan *p, int lower, int lower_raw, struct upper *ret, struct err *e);

/*
 * Can the upper of the plan be where it is? These are the checks of upper_prepare() before it
 * creates anything.
 */
MUST_CHECK int upper_check(const struct mount_plan *p, struct err *e);

/* Did the upper or the work directory exist before? Then another overlay may be using it. */
bool upper_existed(const struct upper *u);

/* Remove the directories that were created, with what OverlayFS left in them. */
void upper_undo(struct upper *u);

/* Close what only mounting needs; what was created is still known to upper_undo(). */
void upper_close(struct upper *u);

void upper_done(struct upper *u);

#endif
