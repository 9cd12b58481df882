/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount-idmapped: views, which are mounted for each of several users. */

#include "mount_idmapped.h"

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
#include "missing_source.h"
#include "signals.h"
#include "view_warnings.h"

/* A view that was mounted and, before Linux 6.15, is still to be read back. */
struct new_view {
	struct mount_plan plan;
	struct mount_result result;
};

struct views {
	const struct mount_args *args;
	struct ctx *ctx;
	const char *path;
	const struct fstab *table;
	struct each_sources sources;
	struct mount_snapshot before;
	struct mount_stores stores;
	VEC(struct new_view) unread;
	size_t mounted, there, gone, failed, kept; /* kept: not wanted, and still mounted */
	bool told;                                 /* lines that are not views were warned about */
	size_t shown;                              /* failures that were reported */
	struct err last;                           /* ... the last of them */
	struct view_warnings warnings;             /* of the line */
	size_t misfits; /* views whose map does not suit the tree; the first one is warned about */
};

/* The views that one line wants. */
struct wanted {
	struct strv names; /* in the directory of the line; sorted at the end */
	bool partial;      /* there may be more */
};

static void views_done(struct views *v)
{
	each_sources_done(&v->sources);
	mount_snapshot_done(&v->before);
	mount_stores_done(&v->stores);
	for (size_t i = 0; i < v->unread.len; i++) {
		mount_plan_done(&v->unread.items[i].plan);
		mount_result_done(&v->unread.items[i].result);
	}
	VEC_DONE(&v->unread);
	view_warnings_done(&v->warnings);
	clone_cache_done();
	userns_cache_done();
}

#define scoped_views __attribute__((cleanup(views_done)))

/*
 * --- failures ----------------------------------------------------------------------------------
 */

enum { FAILURES_SHOWN = 5 };

/* A view fails by itself: the first ones are reported. Returns 0, or -ENOMEM. */
static int view_failed(struct views *v, const struct table_line *l, int r, struct err *e)
{
	if (r == -ENOMEM || r == -EINTR)
		return r;
	v->failed++;
	(void)source_advise_archive(l->source, e);
	table_place(v->path, l->number, l->target, e);
	/* One cause is often that of all users. */
	if (v->shown < FAILURES_SHOWN &&
		(strcmp(e->on, v->last.on) != 0 || strcmp(e->what, v->last.what) != 0 ||
			strcmp(e->place, v->last.place) != 0)) {
		v->shown++;
		v->last = *e;
		log_warn_err(e);
	}
	*e = ERR_INIT;
	return 0;
}

static int join(const char *dir, const char *name, struct buf *ret, struct err *e)
{
	buf_printf(ret, "%s/%s", dir[1] ? dir : "", name);
	return buf_get(ret) ? 0 : err_nomem(e);
}

/*
 * --- unmounting --------------------------------------------------------------------------------
 */

/* Unmount a view of the line, which a record says it is. Returns 0 or -errno. */
static int take_away(
	struct views *v, const char *target, const struct known_mount *known, struct err *e)
{
	const enum umount_how how = v->args->force ? UMOUNT_DETACH :
		v->args->recursive                 ? UMOUNT_TREE :
						     UMOUNT_PLAIN;
	int r = v->ctx->dry_run ? 0 : umount_id(target, false, known->info.id, how, e);

	if (r == 0) {
		mount_show_unmounted(target, known, v->ctx);
		v->gone++;
	} else if (r == -EBUSY) {
		err_try(e, "end the processes, or detach it from them with --force");
	}
	return r;
}

/* Is a view of this line mounted there? */
static bool is_view(const struct view_line *l, const char *target, struct known_mount *known)
{
	return known_look(target, known) && !strcmp(known->record.view, l->id);
}

/* The directory was made for the view. One that the user has put something into stays. */
static void remove_dir(const char *target)
{
	scoped_place struct place at = PLACE_INIT;

	if (path_find(target, false, "cannot find it", &at, NULL) == 0 && at.dirfd >= 0)
		(void)unlinkat(at.dirfd, at.name, AT_REMOVEDIR); /* not empty, or busy: it stays */
}

static int take_unwanted(struct views *v, const struct view_line *l, const char *name,
	const struct wanted *w, struct err *e)
{
	scoped_known_mount struct known_mount known = KNOWN_MOUNT_INIT;
	scoped_buf struct buf target = BUF_INIT;
	int r = join(l->dir, name, &target, e);

	if (r < 0 || !is_view(l, buf_get(&target), &known))
		return r;
	if (w->partial) {
		v->kept++;
		return 0;
	}
	r = take_away(v, buf_get(&target), &known, e);
	if (r == 0 && !v->ctx->dry_run)
		remove_dir(buf_get(&target));
	return r < 0 ? view_failed(v, l->line, r, e) : 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * Views are found by the names in their directory, which root alone can write; a mount is one if
 * its record says so.
 */
static int take_all_unwanted(
	struct views *v, const struct view_line *l, const struct wanted *w, struct err *e)
{
	const size_t kept = v->kept;
	scoped_fd int fd = -1;
	struct dirent *d;
	DIR *dir;
	int r = path_open(l->dir, O_RDONLY | O_DIRECTORY,
		"cannot look for views that are mounted there", NULL, &fd, e);

	if (r == -ENOENT) {
		*e = ERR_INIT;
		return 0;
	}
	dir = r == 0 ? fdopendir(fd) : NULL;
	if (!dir)
		return r < 0 ? r : err_nomem(e);
	fd = -1; /* dir owns it */
	while (r == 0 && (d = readdir(dir))) {
		const char *name = d->d_name;

		if (!strcmp(name, ".") || !strcmp(name, "..") ||
			(w->names.len &&
				bsearch(&name, w->names.items, w->names.len, sizeof(name),
					by_text)))
			continue;
		r = stop_check(e);
		if (r == 0)
			r = take_unwanted(v, l, name, w, e);
	}
	(void)closedir(dir);
	if (r == 0 && w->partial && v->kept == kept)
		log_warn("'%s': not all users could be listed, so no view is unmounted",
			l->line->target);
	else if (r == 0 && w->partial)
		log_warn("'%s': not all users could be listed, so no view is "
			 "unmounted: %zu would be",
			l->line->target, v->kept - kept);
	return r;
}

/*
 * --- mounting ----------------------------------------------------------------------------------
 */

static void show_mounted(struct views *v, struct new_view *n)
{
	view_warnings_add(&v->warnings, n->plan.target, &n->result.warnings);
	known_add(&n->plan, &n->result, "");
	mount_show_result(&n->plan, &n->result, v->ctx);
	v->mounted++;
}

/* Before Linux 6.15 a mount is read back together with all others, when the last one was made. */
static int keep_mounted(struct views *v, struct new_view *n, struct err *e)
{
	mount_plan_close_source(&n->plan);
	target_done(&n->result.target); /* each directory that was made has a descriptor */
	if (!n->result.unread) {
		show_mounted(v, n);
		return 0;
	}
	if (VEC_ADD(&v->unread, *n) < 0)
		return err_nomem(e);
	*n = (struct new_view){ .result = MOUNT_RESULT_INIT };
	return 0;
}

static int read_all_back(struct views *v, const struct table_line *l, struct err *e)
{
	scoped_mount_snapshot struct mount_snapshot after = { 0 };
	int r = 0;

	for (size_t i = 0; i < v->unread.len && r == 0; i++) {
		struct new_view *n = &v->unread.items[i];

		r = mount_read_back(&n->plan, &n->result, &after, e);
		if (r == 0)
			show_mounted(v, n);
		else
			mount_undo(&n->plan, &n->result);
		if (r < 0)
			r = view_failed(v, l, r, e);
		mount_plan_done(&n->plan);
		mount_result_done(&n->result);
		*n = (struct new_view){ .result = MOUNT_RESULT_INIT };
	}
	v->unread.len = 0;
	return r;
}

/* A view with a map or flags that are not the line's any more is mounted anew, if it is ours. */
static int replace(
	struct views *v, const struct view_line *l, const struct mount_plan *p, struct err *e)
{
	scoped_known_mount struct known_mount known = KNOWN_MOUNT_INIT;
	struct err own = ERR_INIT;
	int r;

	if (!is_view(l, p->target, &known))
		return -EEXIST;
	r = take_away(v, p->target, &known, &own);
	*e = own;
	return r;
}

static int apply(struct views *v, struct new_view *n, bool replaces, struct err *e)
{
	struct mount_flags flags;
	int r;

	if (v->ctx->dry_run) {
		r = mount_trial(&n->plan, !replaces, &flags, &n->result.warnings, e);
		if (r == 0)
			view_warnings_add(&v->warnings, n->plan.target, &n->result.warnings);
		return r < 0 ? r : mount_show_steps(&n->plan, flags, v->ctx, e);
	}
	r = mount_apply(&n->plan, &v->before, &n->result, e);
	userns_cache_done(); /* each user has a map of its own */
	return r == 0 ? keep_mounted(v, n, e) : r;
}

static int mount_view(
	struct views *v, const struct view_line *l, struct mount_plan *p, struct err *e)
{
	struct new_view n = { *p, MOUNT_RESULT_INIT };
	int id, r = plan_is_mounted(p, &v->before, &id, e);
	bool replaces = r == -EEXIST;

	if (r > 0) {
		v->there++;
		mount_show_there(p, v->ctx);
		return 0;
	}
	if (replaces)
		r = replace(v, l, p, e);
	*p = (struct mount_plan){ 0 };
	if (r == 0 && n.plan.misfits.len && !v->misfits++)
		log_warn("'%s': %s", n.plan.target, n.plan.misfits.items[0]);
	if (r == 0)
		r = apply(v, &n, replaces, e);
	mount_plan_done(&n.plan);
	mount_result_done(&n.result);
	return r > 0 ? 0 : r;
}

/*
 * --- plans -------------------------------------------------------------------------------------
 */

static int plan_view(struct views *v, const struct view_line *l, const struct user *user,
	const char *target, struct mount_plan *ret, struct err *e)
{
	scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
	scoped_buf struct buf text = BUF_INIT;
	char number[16];
	const struct idmap_known known = {
		.grants = &v->sources.grants, .word = view_word(user, number), .user = user
	};
	int r;

	view_expand(l->line->options, user, &text);
	if (!buf_get(&text))
		return err_nomem(e);
	r = mount_options_parse(&o, buf_get(&text), e);
	free(o.each);
	o.each = NULL;
	if (r == 0)
		r = mount_plan_words(v->args,
			(struct mount_request){ .source = l->line->source,
				.target = target,
				.options = &o,
				.known = &known },
			&v->stores, ret, e);
	if (r == 0)
		r = mount_plan_check(ret, e);
	if (r == 0)
		r = mount_plan_check_absolute(ret, &o, e);
	if (r < 0)
		return r;
	ret->of_line = true;
	ret->for_command = v->args->exec;
	ret->owned = true;
	ret->owner_uid = user->uid;
	ret->owner_gid = user->gid;
	memcpy(ret->view, l->id, sizeof(ret->view));
	return 0;
}

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
	int r;

	view_expand(l->name, &u->user, &name);
	if (!buf_get(&name) || join(l->dir, buf_get(&name), &target, e) < 0)
		return err_nomem(e);
	if (!u->shares)
		r = mounts ? plan_view(v, l, &u->user, buf_get(&target), &plan, e) : 0;
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
	if (r == 0 && mounts)
		r = mount_view(v, l, &plan, e);
	return r < 0 ? view_failed(v, l->line, r, e) : 0;
}

static int list_users(
	struct views *v, const struct view_line *l, struct each_users *ret, struct err *e)
{
	int r = 0;

	if (!v->sources.grants.uid && !v->sources.grants.gid && !v->sources.broken)
		r = each_sources_read(&v->sources, e);
	return r == 0 ? each_users_list(l->options.each, &v->sources, ret, e) : r;
}

static int do_line(struct views *v, const struct view_line *l, struct err *e)
{
	struct each_users users = { .partial = false };
	struct wanted w = { .partial = false };
	int r = v->args->unmount ? 0 : list_users(v, l, &users, e);

	if (!v->args->unmount && !l->options.noauto)
		view_warn_of_map(l);
	w.partial = users.partial;
	for (size_t i = 0; i < users.items.len && r == 0; i++) {
		r = stop_check(e);
		if (r == 0)
			r = do_user(v, l, &users.items.items[i], &w, !l->options.noauto, e);
	}
	if (r == 0)
		r = read_all_back(v, l->line, e);
	view_warnings_tell(&v->warnings, l->line->target);
	if (w.names.len > 1)
		qsort(w.names.items, w.names.len, sizeof(*w.names.items), by_text);
	if (r == 0)
		r = take_all_unwanted(v, l, &w, e);
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
	scoped_views struct views v = { .args = a, .ctx = ctx, .path = path, .table = table };
	scoped_strv struct strv targets = { 0 };
	/* A wrong line is found before anything is done. */
	int r = each_line(&v, note_target, &targets, e);

	v.told = true;
	if (r < 0 || !targets.len)
		return r < 0 ? r : STATUS_DONE;
	signals_catch(SIGNALS_RESTART, "views that were mounted stay; the next run goes on");
	r = each_line(&v, do_each_line, NULL, e);
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
			r = do_user(v, l, &users.items.items[i], &w, true, e);
			s->found = w.names.len; /* without a grant there is no view */
		}
	}
	if (r == 0)
		r = read_all_back(v, l->line, e);
	view_warnings_tell(&v->warnings, l->line->target);
	VEC_DONE(&users.items);
	strv_done(&w.names);
	return r;
}

int mount_views_one(const struct mount_args *a, const char *path, const struct fstab *table,
	const char *word, struct ctx *ctx, struct err *e)
{
	scoped_views struct views v = {
		.args = a, .ctx = ctx, .path = path, .table = table, .told = true
	};
	scoped_free char *target = table_path(word);
	struct search s = { .word = target };
	int r = target ? each_line(&v, do_one, &s, e) : err_nomem(e);

	if (r < 0)
		return r;
	return s.found ? sum_up(&v, e) : -ENOENT;
}
