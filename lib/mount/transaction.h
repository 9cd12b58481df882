/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_TRANSACTION_H
#define MOUNT_TRANSACTION_H

#include <stddef.h>

#include "../base/err.h"
#include "table.h"

/* Mount the lines of an fstab, all or none. Which calls this takes is left to the caller. */

enum line_state {
	LINE_NEW,
	LINE_PLANNED, /* it has a plan */
	LINE_THERE,   /* it was mounted before this run */
	LINE_MOUNTED, /* this run has mounted it */
	LINE_FAILED,  /* with nofail, or it was mounted and undone */
};

/* What the caller does. Lines are indices; the functions return 0 or -errno. */
struct transaction_ops {
	/* The state of a line, which mount() and the following change. */
	enum line_state *(*state)(void *arg, size_t line);
	/* May the run continue? Called before each line. */
	int (*proceed)(void *arg, struct err *e);
	/* Mount a line, unless it is mounted already. */
	int (*mount)(void *arg, size_t line, struct err *e);
	/* mount() failed with r: 0 to continue without the line, or the error to return. */
	int (*failed)(void *arg, size_t line, int r, struct err *e);
	/* No further line is mounted: release what only mounting needs. */
	void (*ended)(void *arg);
	/* All lines are mounted: verify them. */
	int (*verify)(void *arg, struct err *e);
	void (*undo)(void *arg, size_t line);
};

/*
 * Mount n lines in this order, skipping those that have failed already. After an error, the lines
 * that this run has mounted are undone, last first; *ret_undone is their number.
 */
MUST_CHECK int transaction_run(const struct transaction_ops *ops, void *arg, const size_t *order,
	size_t n, size_t *ret_undone, struct err *e);

/*
 * Is the line's target, or a path that it uses, on the target of a failed line? What is there is
 * the directory that the failed line would have covered, so the line must not be mounted. Returns
 * that target or NULL.
 */
const char *transaction_blocked_by(const struct table_need *need, const struct strv *failed);

#endif
