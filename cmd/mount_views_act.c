/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount-idmapped: mount and unmount single views of a table. */

#include "mount_views.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/base/log.h"
#include "../lib/base/path.h"
#include "../lib/base/stop.h"
#include "../lib/idmap/userns.h"
#include "../lib/mount/clone_cache.h"
#include "../lib/mount/known.h"
#include "../lib/mount/match.h"
#include "../lib/mount/table.h"
#include "missing_source.h"

void views_done(struct views *v)
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
	podman_below_done(&v->below);
	view_uses_done(&v->uses);
	view_maps_done(&v->maps);
	clone_cache_done();
	userns_cache_done();
}

/*
 * --- failures ----------------------------------------------------------------------------------
 */

enum { FAILURES_SHOWN = 5 };

int views_failed(struct views *v, const struct table_line *l, int r, struct err *e)
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

int views_join(const char *dir, const char *name, struct buf *ret, struct err *e)
{
	buf_printf(ret, "%s/%s", dir[1] ? dir : "", name);
	return buf_get(ret) ? 0 : err_nomem(e);
}

/*
 * --- unmounting --------------------------------------------------------------------------------
 */

/* Unmount a view of the line, which a record says it is. Returns 0 or -errno. */
static int take_away(struct views *v, const struct view_line *l, const char *target,
	const struct known_mount *known, struct err *e)
{
	const enum umount_how how = v->args->force ? UMOUNT_DETACH :
		v->args->recursive                 ? UMOUNT_TREE :
						     UMOUNT_PLAIN;
	const struct view_layers layers = { view_maps_is_layer, l };
	int r = v->args->force ? 0 : view_uses_check(&v->uses, target, &layers, e);

	if (r == 0 && !v->ctx->dry_run)
		r = umount_id(target, false, known->info.id, how, e);
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

/* The directory was made for the view. One that is not empty stays, such as that of a podman. */
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
	int r = views_join(l->dir, name, &target, e);

	if (r < 0 || !is_view(l, buf_get(&target), &known))
		return r;
	if (w->partial) {
		v->kept++;
		return 0;
	}
	r = take_away(v, l, buf_get(&target), &known, e);
	if (r == 0 && !v->ctx->dry_run)
		remove_dir(buf_get(&target));
	return r < 0 ? views_failed(v, l->line, r, e) : 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * Views are found by the names in their directory, which root alone can write; a mount is one if
 * its record says so.
 */
int views_take_unwanted(struct views *v, const struct view_line *l, struct wanted *w, struct err *e)
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
	if (w->names.len > 1)
		qsort(w->names.items, w->names.len, sizeof(*w->names.items), by_text);
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

int views_read_back(struct views *v, const struct table_line *l, struct err *e)
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
		if (r < 0) {
			view_maps_drop(&v->maps, n->plan.target);
			r = views_failed(v, l, r, e);
		}
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
	r = take_away(v, l, p->target, &known, &own);
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

int views_mount(struct views *v, const struct view_line *l, const struct each_user *u,
	struct mount_plan *p, struct err *e)
{
	struct podman_map map = { .mounted = false };
	const size_t there = v->there;
	int r = v->below.wanted ? view_maps_find(l, &u->user, p, &v->sources, &map, e) : 0;
	const bool impossible = r == -ENODATA;

	if (r == 0 || impossible)
		r = mount_view(v, l, p, e);
	if (r == 0 && impossible && there == v->there)
		log_warn("'%s': podman of user '%s' cannot have this map, since it has ids that "
			 "are not the user's; podman will copy the image and change its owners",
			l->line->target, u->user.name);
	if (r == 0 && map.text)
		r = view_maps_add(&v->maps, l, &map, e);
	podman_map_done(&map);
	return r;
}
