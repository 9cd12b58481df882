/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MOUNT_TABLE_H
#define CMD_MOUNT_TABLE_H

#include "../lib/mount/match.h"
#include "../lib/mount/table.h"
#include "../lib/mount/transaction.h"
#include "mount_idmapped.h"

/* One line on its way. */
struct table_job {
	const struct table_line *line;
	struct mount_options options;
	struct mount_plan plan;
	struct mount_result result; /* of MOUNTED */
	bool waits;                 /* its source may not be there before other lines are mounted */
	enum line_state state;
};

struct table_run {
	const struct mount_args *args;
	struct ctx *ctx;
	const char *fstab;
	struct fstab table;
	VEC(struct table_job) jobs;
	size_t *order; /* jobs, parents first */
	struct mount_stores stores;
	struct mount_snapshot before; /* what was mounted at first */
	bool failed;                  /* a line did, with nofail */
	size_t refused;               /* lines, by a dry run, which names them all */
};

/*
 * Add to an error which line of which file it is of: that is not the command line's fault. Returns
 * r.
 */
int table_job_fault(const struct table_run *run, const struct table_line *l, int r, struct err *e);

/* Take one line, or all of run->table but those with noauto: their options are read. */
int table_job_add(struct table_run *run, const struct table_line *l, struct err *e);
int table_job_add_all(struct table_run *run, struct err *e);

/*
 * The paths that must be there for the job. ret->uses is to be freed with strv_done(), also after a
 * failure.
 */
int table_job_need(const struct table_job *j, struct table_need *ret, struct err *e);

/* Set run->order, as table_order() says. -EEXIST: two lines have one target. */
int table_job_order(struct table_run *run, struct err *e);

/* The i-th job of that order. */
struct table_job *table_job_at(struct table_run *run, size_t i);

/* Make the plan of a job that has none yet. */
int table_job_plan(struct table_run *run, struct table_job *j, struct err *e);

#endif
