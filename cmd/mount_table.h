/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MOUNT_TABLE_H
#define CMD_MOUNT_TABLE_H

#include "../lib/mount/match.h"
#include "../lib/mount/table.h"
#include "../lib/mount/transaction.h"
#include "mount_idmapped.h"

/* A line that is being mounted. */
struct table_job {
	const struct table_line *line;
	struct mount_options options;
	struct mount_plan plan;
	struct mount_result result; /* of LINE_MOUNTED */
	bool waits;                 /* its source may be missing before other lines are mounted */
	enum line_state state;
};

struct table_run {
	const struct mount_args *args;
	struct ctx *ctx;
	const char *fstab;
	bool is_fstab; /* systemd reads it, too */
	struct fstab table;
	VEC(struct table_job) jobs;
	size_t *order; /* indices of jobs, parents first */
	struct mount_stores stores;
	struct mount_snapshot before; /* what was mounted before */
	bool failed;                  /* a line with nofail has failed */
	size_t noauto;                /* lines that are not mounted because of this option */
	size_t refused;               /* the number of lines that a dry run reports as refused */
};

/* Add the file and the line to an error, which is not a usage error then. Returns r. */
MUST_CHECK int table_job_fault(
	const struct table_run *run, const struct table_line *l, int r, struct err *e);

/* Add one line, or all lines of run->table without noauto, and parse their options. */
MUST_CHECK int table_job_add(struct table_run *run, const struct table_line *l, struct err *e);
MUST_CHECK int table_job_add_all(struct table_run *run, struct err *e);

/*
 * Get the paths that the job needs. The caller frees ret->uses with strv_done(), also after a
 * failure.
 */
MUST_CHECK int table_job_need(const struct table_job *j, struct table_need *ret, struct err *e);

/* Set run->order by table_order(). -EEXIST: two lines have the same target. */
MUST_CHECK int table_job_order(struct table_run *run, struct err *e);

/* Get the i-th job in that order. */
struct table_job *table_job_at(struct table_run *run, size_t i);

/*
 * Warn, in one line each, about the lines that were (with --dry-run: would be) mounted with a map
 * that does not suit what they show, or without a map.
 */
void table_job_misfits(struct table_run *run);

/* Make the plan of a job unless it has one. */
MUST_CHECK int table_job_plan(struct table_run *run, struct table_job *j, struct err *e);

#endif
