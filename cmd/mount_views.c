/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount-idmapped: views, which are mounted for each of several users. */

#include "mount_views.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../lib/base/log.h"
#include "../lib/base/path.h"
#include "../lib/base/plural.h"
#include "../lib/base/stop.h"
#include "../lib/idmap/each_users.h"
#include "../lib/idmap/userns.h"
#include "../lib/mount/clone_cache.h"
#include "../lib/mount/known.h"
#include "../lib/mount/match.h"
#include "../lib/mount/table.h"
#include "../lib/mount/view.h"
#include "../lib/mount/view_use.h"
#include "../lib/store/podman_below.h"
#include "signals.h"

/*
 * --- users --------------------------------------------------------------------------------------
 */

/* Has the user no grant that the map could be made from? */
static bool lacks_grant(int r, const struct err *e)
{
	return r == -ENOENT && !strcmp(e->op, "subid");
}

static int refuse_shared(const char *target, const struct user *user, struct err *e)
{
	(void)err_say(e, EPERM, target,
		"user '%s' shares ids with another user: each could act with those of the other",
		user->name);
	err_op(e, "view");
	err_try(e, "give each user ids of its own: shiftbox shift-check subid %u", user->uid);
	return -EPERM;
}

/* Mount, or check, the view of one user. Its name becomes one of those that are wanted. */
static int do_user(struct views *v, const struct view_line *l, const struct each_user *u,
	struct wanted *w, bool mounts, struct err *e)
{
	scoped_mount_plan struct mount_plan plan = { 0 };
	scoped_buf struct buf name = BUF_INIT, target = BUF_INIT;
	struct view_of_user of_user = { l, &u->user, &v->sources.grants, NULL };
	int r;

	view_expand(l->name, &u->user, &name);
	if (!buf_get(&name) || views_join(l->dir, buf_get(&name), &target, e) < 0)
		return err_nomem(e);
	of_user.target = buf_get(&target);
	if (!u->shares)
		r = mounts ? mount_views_plan(v->args, &v->stores, &of_user, &plan, e) : 0;
	else
		r = mounts ? refuse_shared(buf_get(&target), &u->user, e) : 0;
	if (lacks_grant(r, e) && !v->sources.broken) {
		if (u->named) {
			log_warn("'%s' gets no view, since its map needs subordinate ids; try: %s",
				u->user.name, e->hint);
		} else {
			log_verbose("'%s': %s", u->user.name, e->what);
		}
		*e = ERR_INIT;
		return 0;
	}
	if (strv_add(&w->names, buf_get(&name)) < 0)
		return err_nomem(e);
	if (r == 0)
		r = podman_below_fill(&v->below, buf_get(&name), &u->user, e);
	if (r == 0 && mounts)
		r = views_mount(v, l, u, &plan, e);
	return r < 0 ? views_failed(v, l->line, r, e) : 0;
}

static int list_users(
	struct views *v, const struct view_line *l, struct each_users *ret, struct err *e)
{
	int r = 0;

	if (!v->sources.grants.uid && !v->sources.grants.gid && !v->sources.broken)
		r = each_sources_read(&v->sources, e);
	return r == 0 ? each_users_list(l->options.each, &v->sources, ret, e) : r;
}

/* Prepare the stores for podman that will be below the views of this line. */
static int open_below(struct views *v, const struct view_line *l, struct err *e)
{
	int r;

	podman_below_done(&v->below);
	if (v->ctx->dry_run || v->args->unmount)
		return 0;
	r = podman_below_open(l, &v->below, e);
	return r < 0 ? views_failed(v, l->line, r, e) : 0;
}

static int do_line(struct views *v, const struct view_line *l, struct err *e)
{
	struct each_users users = { .partial = false };
	struct wanted w = { .partial = false };
	int r = view_maps_line(&v->maps, l, e);

	if (r == 0 && !v->args->unmount)
		r = list_users(v, l, &users, e);
	if (!v->args->unmount && !l->options.noauto)
		view_warn_of_map(l);
	w.partial = users.partial;
	if (r == 0)
		r = open_below(v, l, e);
	for (size_t i = 0; i < users.items.len && r == 0; i++) {
		r = stop_check(e);
		if (r == 0)
			r = do_user(v, l, &users.items.items[i], &w, !l->options.noauto, e);
	}
	if (r == 0)
		r = views_read_back(v, l->line, e);
	view_warnings_tell(&v->warnings, l->line->target);
	podman_below_report(&v->below);
	if (r == 0)
		r = views_take_unwanted(v, l, &w, e);
	VEC_DONE(&users.items);
	strv_done(&w.names);
	return r;
}

/*
 * --- the entries -------------------------------------------------------------------------------
 */

/* -a mounts no other lines of the table of views, but does mount those of a table of -T. */
static void tell_no_view(const struct views *v, const struct table_line *l)
{
	if (!v->args->fstab && !v->args->unmount)
		log_warn("'%s': %s: a line without each= is not mounted from there; try: add each= "
			 "to it, or move it to /etc/fstab",
			l->target, v->path);
}

/* Call fn for each line with each=, after the table itself was checked. */
static int each_line(struct views *v,
	int (*fn)(struct views *v, const struct view_line *l, void *arg, struct err *e), void *arg,
	struct err *e)
{
	bool checked = false;
	int r = 0;

	for (size_t i = 0; i < v->table->lines.len && r == 0; i++) {
		const struct table_line *l = &v->table->lines.items[i];
		scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
		struct view_line view = { .dir = NULL };

		r = table_line_options(l, &o, e);
		if (r == 0 && !o.each) {
			if (!v->told)
				tell_no_view(v, l);
			continue;
		}
		if (r == 0 && !checked)
			r = view_check_table(v->path, v->table, e);
		checked = true;
		if (r == 0)
			r = view_line_check(v->path, l, &o, &view, e);
		if (r < 0) {
			if (!e->place[0] && strcmp(e->on, v->path) != 0)
				table_place(v->path, l->number, l->target, e);
			return r;
		}
		r = fn(v, &view, arg, e);
		free(view.dir);
	}
	return r;
}

static int do_each_line(struct views *v, const struct view_line *l, void *arg, struct err *e)
{
	(void)arg;
	return do_line(v, l, e);
}

/* Collect the targets, each of which must be of one line. */
static int note_target(struct views *v, const struct view_line *l, void *arg, struct err *e)
{
	struct strv *targets = arg;

	if (!strv_has(targets, l->line->target))
		return strv_add(targets, l->line->target) < 0 ? err_nomem(e) : 0;
	(void)err_say(e, EEXIST, l->line->target, "two lines have this target");
	err_op(e, "view");
	err_try(e, "remove one of the lines, or give it another target");
	table_place(v->path, l->line->number, l->line->target, e);
	return -EEXIST;
}

/* look: all lines were done, so views that are not mounted are gone. */
static int write_maps(struct views *v, bool look, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < v->maps.changes.len && r == 0 && !v->ctx->dry_run; i++) {
		struct podman_maps_change *c = &v->maps.changes.items[i];

		c->look = look;
		r = podman_maps_apply(c, e);
		if (r < 0 && r != -ENOMEM && r != -EINTR) {
			log_warn_err(e);
			*e = ERR_INIT;
			v->failed++;
			r = 0;
		}
	}
	return r;
}

/* What is not as the table says, after the details were logged. */
static int sum_up(const struct views *v, struct err *e)
{
	if (!v->ctx->dry_run)
		log_verbose("views: %zu mounted, %zu were mounted already, %zu unmounted, %zu "
			    "failed; user namespaces made: %zu",
			v->mounted, v->there, v->gone, v->failed, userns_made());
	if (v->failed > v->shown)
		log_warn("'%s': %zu more %s failed", v->path, v->failed - v->shown,
			plural(v->failed - v->shown, "view", "views"));
	if (!v->failed && !v->kept)
		return STATUS_DONE;
	if (v->failed)
		(void)err_say(e, EIO, v->path,
			"views that could not be mounted, unmounted or replaced: %zu",
			v->failed + v->kept);
	else
		(void)err_say(e, EIO, v->path,
			"views kept because not all users could be listed: %zu", v->kept);
	e->num = 0;
	err_op(e, "view");
	return -EIO;
}

int mount_views(const struct mount_args *a, const char *path, const struct fstab *table,
	struct ctx *ctx, struct err *e)
{
	scoped_views struct views v = {
		.args = a, .ctx = ctx, .path = path, .table = table, .below = PODMAN_BELOW_INIT
	};
	scoped_strv struct strv targets = { 0 };
	/* A wrong line is found before anything is done. */
	int r = each_line(&v, note_target, &targets, e);

	v.told = true;
	if (r < 0 || !targets.len)
		return r < 0 ? r : STATUS_DONE;
	signals_catch(SIGNALS_RESTART, "views that were mounted stay; the next run goes on");
	r = each_line(&v, do_each_line, NULL, e);
	if (r == 0)
		r = write_maps(&v, true, e);
	return r < 0 ? r : sum_up(&v, e);
}

struct search {
	const char *word;
	bool found;
};

/* Find the user whose view is to be mounted. */
static int do_one(struct views *v, const struct view_line *l, void *arg, struct err *e)
{
	struct each_users users = { .partial = false };
	struct wanted w = { .partial = false };
	struct search *s = arg;
	int r = 0;

	if (strncmp(s->word, l->dir, strlen(l->dir)) != 0)
		return 0;
	r = list_users(v, l, &users, e);
	for (size_t i = 0; i < users.items.len && r == 0 && !s->found; i++) {
		scoped_buf struct buf target = BUF_INIT;

		view_expand(l->line->target, &users.items.items[i].user, &target);
		if (!buf_get(&target))
			r = err_nomem(e);
		else if (!strcmp(buf_get(&target), s->word)) {
			s->found = true;
			r = open_below(v, l, e);
			if (r < 0)
				break;
			r = do_user(v, l, &users.items.items[i], &w, true, e);
			s->found = w.names.len; /* without a grant there is no view */
		}
	}
	if (r == 0)
		r = views_read_back(v, l->line, e);
	view_warnings_tell(&v->warnings, l->line->target);
	VEC_DONE(&users.items);
	strv_done(&w.names);
	return r;
}

int mount_views_one(const struct mount_args *a, const char *path, const struct fstab *table,
	const char *word, struct ctx *ctx, struct err *e)
{
	scoped_views struct views v = {
		.args = a,
		.ctx = ctx,
		.path = path,
		.table = table,
		.told = true,
		.below = PODMAN_BELOW_INIT,
	};
	scoped_free char *target = table_path(word);
	struct search s = { .word = target };
	int r = target ? each_line(&v, do_one, &s, e) : err_nomem(e);

	if (r == 0)
		r = write_maps(&v, false, e);
	if (r < 0)
		return r;
	return s.found ? sum_up(&v, e) : -ENOENT;
}
