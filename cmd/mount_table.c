/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount-idmapped --all: mount the lines of an fstab as one transaction. */

#include "mount_table.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../lib/base/fd.h"
#include "../lib/base/log.h"
#include "../lib/base/path.h"
#include "../lib/base/plural.h"
#include "../lib/base/stop.h"
#include "../lib/idmap/userns.h"
#include "../lib/mount/clone_cache.h"
#include "../lib/mount/exposure.h"
#include "../lib/mount/known.h"
#include "../lib/mount/view.h"
#include "missing_source.h"
#include "signals.h"

static void run_done(struct table_run *run)
{
	for (size_t i = 0; i < run->jobs.len; i++) {
		struct table_job *j = &run->jobs.items[i];

		mount_options_done(&j->options);
		mount_plan_done(&j->plan);
		mount_result_done(&j->result);
	}
	VEC_DONE(&run->jobs);
	free(run->order);
	mount_snapshot_done(&run->before);
	mount_stores_done(&run->stores);
	table_done(&run->table);
	userns_cache_done();
}

#define scoped_run __attribute__((cleanup(run_done)))

/*
 * --- failures ----------------------------------------------------------------------------------
 */

/* A line failed: with nofail this is only a warning (0), else the error names the line. */
static int job_failed(struct table_run *run, struct table_job *j, int r, struct err *e)
{
	bool usage = e->usage;

	(void)source_advise_archive(j->line->source, e);
	r = table_job_fault(run, j->line, r, e);
	if (!j->options.nofail || usage)
		return r;
	log_warn_err(e);
	j->state = LINE_FAILED;
	run->failed = true;
	*e = ERR_INIT;
	return 0;
}

static int check_below(const struct table_run *run, const struct table_job *j, struct err *e)
{
	scoped_strv struct strv failed = { 0 };
	struct table_need need = { 0 };
	const char *under = NULL;
	int r = table_job_need(j, &need, e);

	for (size_t i = 0; i < run->jobs.len && r == 0; i++)
		if (run->jobs.items[i].state == LINE_FAILED &&
			strv_add(&failed, run->jobs.items[i].line->target) < 0)
			r = err_nomem(e);
	if (r == 0)
		under = transaction_blocked_by(&need, &failed);
	if (under) {
		r = err_say(e, ENOENT, under, "what the line needs from there is not mounted");
		err_why(e, "the line of that target failed, with nofail");
	}
	strv_done(&need.uses);
	return r;
}

/*
 * --- mounting ----------------------------------------------------------------------------------
 */

/* Each directory that is created needs a descriptor. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(
		RLIMIT_NOFILE, &limit); /* on failure the limit stays, and EMFILE is reported */
}

/*
 * Lines that older versions mounted are refused for symbolic links of other users, and for ids that
 * they give away.
 */
static bool is_refused(const struct err *e)
{
	return !strcmp(e->op, "public") || !strcmp(e->op, "link");
}

/* A dry run continues after a line that is refused, so that all such lines are reported. */
static int list_refused(struct table_run *run, struct table_job *j, int r, struct err *e)
{
	if (!is_refused(e))
		return r;
	log_warn_err(e);
	*e = ERR_INIT;
	j->state = LINE_FAILED;
	run->refused++;
	return 0;
}

/* Would another line mount something that the target of j is in? */
static bool target_waits(const struct table_run *run, const struct table_job *j)
{
	scoped_free char *target = table_path(j->line->target);

	for (size_t i = 0; target && i < run->jobs.len; i++) {
		const struct table_job *other = &run->jobs.items[i];
		scoped_free char *above = other == j ? NULL : table_path(other->line->target);

		if (above && path_below(target, above))
			return true;
	}
	return !target;
}

/* For a bind, the check for exposed ids is part of the trial; for a device, it is one of the steps.
 */
static int dry_run(struct table_run *run, struct table_job *j, bool there, struct err *e)
{
	struct mount_flags flags = mount_plan_flags(&j->plan);
	scoped_strv struct strv warnings = { 0 };
	bool tried = !there && !j->waits;
	int r = mount_plan_check_links(&j->plan, e);

	if (r == 0 && tried)
		r = mount_trial(&j->plan, !target_waits(run, j), &flags, &warnings, e);
	if (r == 0 && tried)
		exposure_warn_stack(&j->plan, &warnings);
	else if (r == 0 && (there || j->plan.kind != MOUNT_FS))
		r = exposure_check_plan(&j->plan, &warnings, e);
	if (r == 0)
		log_kept(&warnings);
	return r < 0 || there ? r : mount_show_steps(&j->plan, flags, run->ctx, e);
}

static int do_job(struct table_run *run, struct table_job *j, struct err *e)
{
	bool there;
	int id, r = run->failed ? check_below(run, j, e) : 0;

	if (r == 0)
		r = table_job_plan(run, j, e);
	if (r == 0)
		r = mount_plan_open_source(&j->plan,
			e); /* again: a mount made since may have changed the type of the target */
	if (r == 0)
		r = plan_is_mounted(&j->plan, &run->before, &id, e);
	if (r < 0)
		return r;
	there = r > 0;
	if (there)
		j->state = LINE_THERE;
	if (run->ctx->dry_run)
		return dry_run(run, j, there, e);
	if (there)
		return 0;
	r = mount_apply(&j->plan, &run->before, &j->result, e);
	if (r == 0)
		j->state = LINE_MOUNTED;
	return r;
}

/* Kernels that report mounts only in a list of all are asked once, at the end. */
static int read_all_back(struct table_run *run, struct err *e)
{
	scoped_mount_snapshot struct mount_snapshot after = { 0 };
	int r = 0;

	for (size_t i = 0; i < run->jobs.len && r == 0; i++) {
		struct table_job *j = table_job_at(run, i);

		if (j->state != LINE_MOUNTED)
			continue;
		r = mount_read_back(&j->plan, &j->result, &after, e);
		if (r == 0)
			continue;
		if (j->options.nofail)
			mount_undo(&j->plan, &j->result);
		r = job_failed(run, j, r, e);
	}
	return r;
}

/*
 * --- as a transaction ---------------------------------------------------------------------------
 */

static struct table_job *job_of(void *arg, size_t line)
{
	struct table_run *run = arg;

	return &run->jobs.items[line];
}

static enum line_state *line_state(void *arg, size_t line)
{
	return &job_of(arg, line)->state;
}

static int line_proceed(void *arg, struct err *e)
{
	(void)arg;
	return stop_check(e);
}

static int line_mount(void *arg, size_t line, struct err *e)
{
	struct table_job *j = job_of(arg, line);
	int r = do_job(arg, j, e);

	mount_plan_close_source(&j->plan);
	return r;
}

static int line_failed(void *arg, size_t line, int r, struct err *e)
{
	struct table_job *j = job_of(arg, line);
	struct table_run *run = arg;

	r = job_failed(run, j, r, e);
	return r < 0 && run->ctx->dry_run ? list_refused(run, j, r, e) : r;
}

static void lines_ended(void *arg)
{
	(void)arg;
	clone_cache_done(); /* the clones keep their filesystems busy */
}

static int lines_verify(void *arg, struct err *e)
{
	return read_all_back(arg, e);
}

static void line_undo(void *arg, size_t line)
{
	struct table_job *j = job_of(arg, line);

	signals_take_time(); /* a table is mounted as a whole, or not at all */
	mount_undo(&j->plan, &j->result);
}

static int do_jobs(struct table_run *run, struct err *e)
{
	static const struct transaction_ops ops = {
		.state = line_state,
		.proceed = line_proceed,
		.mount = line_mount,
		.failed = line_failed,
		.ended = lines_ended,
		.verify = lines_verify,
		.undo = line_undo,
	};
	size_t undone;
	int r = transaction_run(&ops, run, run->order, run->jobs.len, &undone, e);

	if (undone)
		log_verbose("mounts that were undone: %zu", undone);
	return r;
}

static void show_all(struct table_run *run)
{
	size_t mounted = 0, there = 0, failed = 0;

	for (size_t i = 0; i < run->jobs.len; i++) {
		struct table_job *j = table_job_at(run, i);

		mounted += j->state == LINE_MOUNTED;
		there += j->state == LINE_THERE;
		failed += j->state == LINE_FAILED;
		if (j->state == LINE_MOUNTED) {
			log_kept(&j->result.warnings);
			known_add(&j->plan, &j->result, "");
			mount_show_result(&j->plan, &j->result, run->ctx);
		} else if (j->state == LINE_THERE)
			mount_show_there(&j->plan, run->ctx);
	}
	if (!run->ctx->dry_run)
		log_verbose("%zu mounted, %zu were mounted already, %zu failed (nofail); user "
			    "namespaces made: %zu",
			mounted, there, failed, userns_made());
}

/* All plans that can be made are made before anything is mounted: this finds most errors. */
static int plan_all(struct table_run *run, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < run->jobs.len && r == 0; i++) {
		struct table_job *j = table_job_at(run, i);

		if (j->waits)
			continue;
		r = table_job_plan(run, j, e);
		mount_plan_close_source(&j->plan); /* there may be more of them than descriptors */
		if (r < 0)
			r = line_failed(run, run->order[i], r, e);
	}
	return r;
}

static int mount_jobs(struct table_run *run, struct err *e)
{
	int r;

	r = table_job_order(run, e);
	if (r == 0)
		r = plan_all(run, e);
	if (r < 0)
		return r;

	raise_limit();
	signals_catch(SIGNALS_RESTART,
		"what this run has mounted is unmounted, or taken over by the next run");
	r = do_jobs(run, e);
	if (r == 0) {
		table_job_misfits(run);
		show_all(run);
	}
	if (r == 0 && run->refused)
		r = err_say(e, EPERM, run->fstab, "lines that would be refused: %zu", run->refused);
	return r < 0 ? r : STATUS_DONE;
}

/*
 * --- unmounting --------------------------------------------------------------------------------
 */

static int unmount_job(struct table_run *run, struct table_job *j, struct err *e)
{
	int id, r = table_job_plan(run, j, e);

	if (r == 0)
		r = plan_source_is_mounted(&j->plan, &run->before, &id, e);
	mount_plan_close_source(&j->plan);
	if (r <= 0)
		return r; /* it is not mounted */
	r = run->ctx->dry_run ?
		0 :
		mount_unmount(&j->plan, id,
			run->args->recursive || j->plan.recursive || j->plan.inside.len ?
				UMOUNT_TREE :
				UMOUNT_PLAIN,
			e);
	if (r == 0)
		mount_show_unmounted(j->line->target, NULL, run->ctx);
	return r;
}

/*
 * Unmount as many lines as possible: a table that is half unmounted is better than one that stays
 * because one mount is busy.
 */
static int unmount_jobs(struct table_run *run, struct err *e)
{
	struct err first = ERR_INIT;
	int r = table_job_order(run, e), result = 0;

	for (size_t i = run->jobs.len; i-- > 0 && r == 0;) {
		struct table_job *j = table_job_at(run, i);
		int failed = unmount_job(run, j, e);

		if (failed < 0)
			failed = job_failed(run, j, failed, e);
		if (failed < 0 && result < 0) {
			log_warn_err(e);
		} else if (failed < 0) {
			first = *e;
			result = failed;
		}
	}
	if (r == 0 && result < 0)
		*e = first;
	return r < 0 ? r : result < 0 ? result : STATUS_DONE;
}

/*
 * --- the entries -------------------------------------------------------------------------------
 */

static const char *fstab_of(const struct mount_args *a)
{
	return a->fstab ? a->fstab : "/etc/fstab";
}

#define FSTAB "/etc/fstab"

/* By its name, or as the same file. */
static bool is_fstab(const char *path)
{
	struct stat st, own;

	return !strcmp(path, FSTAB) ||
		(path_stat(path, true, &st) == 0 && path_stat(FSTAB, true, &own) == 0 &&
			same_file(&st, &own));
}

/* The table of views is read besides the fstab, unless -T names another table. */
static int views_of(const struct table_run *run, struct err *e)
{
	const struct mount_args *a = run->args;
	struct fstab table = { .file = { 0 } };
	struct stat st;
	int r;

	if (a->fstab)
		return run->is_fstab ? STATUS_DONE :
				       mount_views(a, run->fstab, &run->table, run->ctx, e);
	if (path_stat(VIEWS_TABLE, true, &st) == -ENOENT)
		return STATUS_DONE;
	r = table_read(VIEWS_TABLE, a->unmount ? TABLE_UNDO : TABLE_STRICT, &table, e);
	if (r == 0)
		r = mount_views(a, VIEWS_TABLE, &table, run->ctx, e);
	table_done(&table);
	return r;
}

static int read_fstab(struct table_run *run, enum table_faults faults, struct err *e)
{
	int r = table_read(run->fstab, faults, &run->table, e);

	if (r == -ENOENT && !run->args->fstab)
		err_try(e, "create it, or name a table with -T");
	return r;
}

int mount_table_all(const struct mount_args *a, struct ctx *ctx, struct err *e)
{
	scoped_run struct table_run run = {
		.args = a, .ctx = ctx, .fstab = fstab_of(a), .is_fstab = is_fstab(fstab_of(a))
	};
	int r;

	r = read_fstab(&run, a->unmount ? TABLE_UNDO : TABLE_STRICT, e);
	if (r == 0)
		r = table_job_add_all(&run, e);
	if (r < 0)
		return r;
	if (a->fstab && !a->unmount && !run.table.lines.len && !run.table.warned)
		log_info("'%s' has no line for this command: such lines have the type shiftbox, "
			 "or the option X-mount.idmap= (if -T names a directory, its files "
			 "NAME.fstab are read)",
			a->fstab);
	if (ctx->dry_run && !a->unmount && run.noauto)
		log_info("'%s': %zu %s noauto, and %s skipped", run.fstab, run.noauto,
			plural(run.noauto, "line has", "lines have"),
			plural(run.noauto, "is", "are"));
	r = a->unmount ? unmount_jobs(&run, e) : mount_jobs(&run, e);
	return r == STATUS_DONE ? views_of(&run, e) : r;
}

static int view_one(const struct table_run *run, const char *word, struct err *e)
{
	const struct mount_args *a = run->args;
	struct fstab table = { .file = { 0 } };
	struct stat st;
	int r;

	if (a->fstab)
		return run->is_fstab ?
			-ENOENT :
			mount_views_one(a, run->fstab, &run->table, word, run->ctx, e);
	if (path_stat(VIEWS_TABLE, true, &st) == -ENOENT)
		return -ENOENT;
	r = table_read(VIEWS_TABLE, TABLE_WARN, &table, e);
	if (r == 0)
		r = mount_views_one(a, VIEWS_TABLE, &table, word, run->ctx, e);
	table_done(&table);
	return r;
}

int mount_table_one(const struct mount_args *a, const char *word, struct ctx *ctx, struct err *e)
{
	scoped_run struct table_run run = {
		.args = a, .ctx = ctx, .fstab = fstab_of(a), .is_fstab = is_fstab(fstab_of(a))
	};
	struct err own = ERR_INIT;
	const struct table_line *l;
	int r;

	r = read_fstab(&run, TABLE_WARN, e);
	if (r < 0)
		return r;
	l = table_find(&run.table, word);
	if (!l) {
		r = view_one(&run, word, &own);
		if (r != -ENOENT || own.set) {
			if (e && r < 0)
				*e = own;
			return r;
		}
		(void)err_say(e, ENOENT, word, "no shiftbox line in %s has this source or target",
			run.fstab);
		err_op(e, "fstab");
		err_why(e, "such lines have the type shiftbox, or the option X-mount.idmap=");
		err_try(e, "name both SOURCE and TARGET, or another fstab with -T");
		return -ENOENT;
	}
	r = table_job_add(&run, l, e);
	if (r < 0)
		return r;
	run.jobs.items[0].options.nofail = false; /* the user named the line */
	return mount_jobs(&run, e);
}

int mount_table_refused(
	int (*fn)(const char *target, const struct err *why, void *arg), void *arg, struct err *e)
{
	const struct mount_args args = { .all = true };
	scoped_run struct table_run run = { .args = &args, .fstab = fstab_of(&args) };
	int r = table_read(run.fstab, TABLE_QUIET, &run.table, e);

	for (size_t i = 0; i < run.table.lines.len && r == 0; i++) {
		const struct table_line *l = &run.table.lines.items[i];
		struct err found = ERR_INIT;
		struct table_job *j;

		if (table_job_add(&run, l, &found) < 0)
			continue;
		j = &run.jobs.items[run.jobs.len - 1];
		if (table_job_plan(&run, j, &found) == 0 &&
			mount_plan_open_source(&j->plan, &found) == 0 &&
			mount_plan_check_links(&j->plan, &found) == 0)
			(void)exposure_check_plan(
				&j->plan, NULL, &found); /* other errors are ignored */
		if (is_refused(&found))
			r = fn(l->target, &found, arg);
	}
	return r;
}
