/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount-idmapped --all: make plans from the lines of an fstab, and sort them. */

#include "mount_table.h"

#include <errno.h>
#include <string.h>

#include "../lib/mount/mstack.h"
#include "../lib/mount/view.h"

int table_job_fault(const struct table_run *run, const struct table_line *l, int r, struct err *e)
{
	table_place(run->fstab, l->number, l->target, e);
	return r;
}

int table_job_add(struct table_run *run, const struct table_line *l, struct err *e)
{
	struct table_job job = {
		.line = l, .options = MOUNT_OPTIONS_INIT, .result = MOUNT_RESULT_INIT
	};
	int r = table_line_options(l, &job.options, e);

	if (r < 0)
		r = table_job_fault(run, l, r, e);
	else if (VEC_ADD(&run->jobs, job) < 0)
		r = err_nomem(e);
	if (r < 0)
		mount_options_done(&job.options);
	return r;
}

int table_job_add_all(struct table_run *run, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < run->table.lines.len && r == 0; i++) {
		struct mount_options *o;

		r = table_job_add(run, &run->table.lines.items[i], e);
		if (r < 0)
			break;
		o = &run->jobs.items[run->jobs.len - 1].options;
		if (run->is_fstab && !run->args->unmount)
			r = view_refuse_in_fstab(&run->table.lines.items[i], o, e);
		if (r == 0 && !run->args->unmount && !o->noauto)
			r = view_check_user(&run->table.lines.items[i], o, e);
		if (r < 0)
			r = table_job_fault(run, &run->table.lines.items[i], r, e);
		else
			run->noauto += o->noauto && !o->each;
		if (r == 0 && (o->noauto || o->each))
			mount_options_done(&run->jobs.items[--run->jobs.len].options);
	}
	return r;
}

static int add_use(struct table_need *need, const char *path, struct err *e)
{
	scoped_free char *tidy = path ? table_path(path) : NULL;

	if (!path)
		return 0;
	return tidy && strv_add(&need->uses, tidy) == 0 ? 0 : err_nomem(e);
}

/* A directory NAME.mstack needs what its links lead to. */
static int add_links(struct table_need *need, const char *source, struct err *e)
{
	scoped_strv struct strv links = { 0 };
	int r = mstack_is_name(source) ? mstack_link_paths(source, &links, e) : 0;

	for (size_t i = 0; i < links.len && r == 0; i++)
		r = add_use(need, links.items[i], e);
	return r;
}

int table_job_need(const struct table_job *j, struct table_need *ret, struct err *e)
{
	const struct mount_options *o = &j->options;
	int r;

	ret->target = j->line->target;
	ret->line = j->line->number;
	r = add_use(ret, j->line->source, e);
	if (r == 0)
		r = add_links(ret, j->line->source, e);
	for (size_t i = 0; i < o->lowers.len && r == 0; i++)
		r = add_use(ret, o->lowers.items[i].dir, e);
	if (r == 0)
		r = add_use(ret, o->upper, e);
	if (r == 0)
		r = add_use(ret, o->work, e);
	return r == 0 ? add_use(ret, o->store, e) : r;
}

int table_job_order(struct table_run *run, struct err *e)
{
	size_t n = run->jobs.len;
	scoped_free struct table_need *needs = calloc(n + 1, sizeof(*needs));
	scoped_free bool *waits = calloc(n + 1, sizeof(*waits));
	int r = 0;

	run->order = calloc(n + 1, sizeof(*run->order));
	if (!needs || !waits || !run->order)
		return err_nomem(e);
	for (size_t i = 0; i < n && r == 0; i++)
		r = table_job_need(&run->jobs.items[i], &needs[i], e);
	if (r == 0)
		r = table_order(needs, n, run->order, waits, e);
	for (size_t i = 0; i < n; i++) {
		run->jobs.items[i].waits = waits[i];
		strv_done(&needs[i].uses);
	}
	if (r == -EEXIST)
		err_place(e, "%s", run->fstab);
	return r;
}

struct table_job *table_job_at(struct table_run *run, size_t i)
{
	return &run->jobs.items[run->order[i]];
}

int table_job_plan(struct table_run *run, struct table_job *j, struct err *e)
{
	int r;

	if (j->state != LINE_NEW)
		return 0;
	r = mount_plan_words(run->args,
		(struct mount_request){
			.source = j->line->source,
			.target = j->line->target,
			.options = &j->options,
		},
		&run->stores, &j->plan, e);
	if (r == 0)
		r = mount_plan_check(&j->plan, e);
	if (r == 0 && !run->args->unmount)
		r = mount_plan_check_absolute(&j->plan, &j->options, e);
	if (r < 0)
		return r;
	j->plan.of_line = true;
	j->plan.only_warn = !j->line->own;
	j->plan.for_command = run->args->exec;
	j->state = LINE_PLANNED;
	return 0;
}
