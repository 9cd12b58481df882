/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_views: find ID-mapped mounts of stores for podman, and the lines that make them. */

#include "podman_views.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../base/log.h"
#include "../base/path.h"
#include "../check/mount_map.h"
#include "../mount/info.h"
#include "../mount/mntns.h"
#include "../mount/record_store.h"
#include "../mount/view.h"

#define IMAGES "overlay-images/images.json"
#define STORE_END "/podman" /* of the directory that image-unpack makes in a store */

/*
 * --- mounts --------------------------------------------------------------------------------------
 */

struct view_search {
	struct podman_views *views;
	struct err *e;
};

static void view_done(struct podman_view *v)
{
	free(v->target);
	free(v->store);
	free(v->root);
	if (v->map_known)
		idmap_done(&v->map);
}

static void read_record(const struct mount_info *i, struct podman_view *v)
{
	scoped_mount_record struct mount_record rec = { .mount = 0 };

	v->recorded = record_store_find(i, NULL, &rec) && rec.view[0];
}

/* Fill in what the mount point tells. */
static int look_at(int fd, const struct mount_info *i, struct podman_view *v, struct err *e)
{
	struct statvfs fs;
	int r = mount_map_read(fd, i->target, &v->map, e);

	if (r < 0)
		return r;
	v->map_known = r == MOUNT_MAP_KNOWN;
	if (fstatvfs(fd, &fs) < 0)
		return err_set(e, errno, i->target, "cannot get the flags of the mount");
	v->ro = fs.f_flag & ST_RDONLY;
	v->nosuid = fs.f_flag & ST_NOSUID;
	v->nodev = fs.f_flag & ST_NODEV;
	v->id = i->id;
	v->dev = i->dev;
	v->target = strdup(i->target);
	v->root = strdup(i->root);
	read_record(i, v);
	return v->target && v->root ? 0 : err_nomem(e);
}

/* Only root makes ID-mapped mounts here, so none is of a filesystem that never answers. */
static int take_mount(const struct mount_info *i, void *arg)
{
	struct view_search *s = arg;
	struct podman_view v = { .id = -1 };
	scoped_fd int fd = -1;
	struct statx stx;
	int r;

	if (!i->mapped || i->too_large || !strcmp(i->type, "overlay") ||
		path_open(i->target, O_PATH | O_DIRECTORY, "cannot open it", NULL, &fd, NULL) < 0 ||
		statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0 ||
		stx.stx_mnt_id != (uint64_t)i->id ||
		faccessat(fd, IMAGES, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	r = look_at(fd, i, &v, s->e);
	if (r == 0 && VEC_ADD(&s->views->items, v) < 0)
		r = err_nomem(s->e);
	if (r < 0)
		view_done(&v);
	return r;
}

/* Where is what the views show, without a map? */
static int take_plain(const struct mount_info *i, void *arg)
{
	struct view_search *s = arg;

	if (i->mapped || i->too_large)
		return 0;
	for (size_t k = 0; k < s->views->items.len; k++) {
		struct podman_view *v = &s->views->items.items[k];
		const char *below = v->dev == i->dev ? path_below(v->root, i->root) : NULL;
		char *path;

		if (!below || (v->store && strlen(v->store) <= strlen(i->target) + strlen(below)))
			continue;
		if (asprintf(&path, "%s%s", strcmp(i->target, "/") ? i->target : "", below) < 0)
			return err_nomem(s->e);
		free(v->store);
		v->store = path;
	}
	return 0;
}

/*
 * --- the table -----------------------------------------------------------------------------------
 */

/* Does the line mount a store for podman? An ordinary user cannot look into root's store. */
static bool is_store(const char *source)
{
	const size_t n = strlen(source), end = strlen(STORE_END);
	scoped_fd int fd = -1;
	int r = path_open(source, O_PATH | O_DIRECTORY, "cannot open it", NULL, &fd, NULL);

	if (r == 0)
		return faccessat(fd, IMAGES, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return r == -EACCES && n > end && !strcmp(source + n - end, STORE_END);
}

/* Is it the map of --userns=keep-id, without other ids in the container (keep-id:USER:UID)? */
static bool is_keep_id(const char *map)
{
	const size_t n = strlen("keep-id:");

	return !strncmp(map, "keep-id:", n) && !strchr(map + n, ':');
}

static int take_line(struct podman_views *v, const struct table_line *l, struct err *e)
{
	scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
	struct podman_line line = { .line = l };
	struct view_line checked = { .dir = NULL };
	struct err fault = ERR_INIT;
	int r = table_line_options(l, &o, &fault);

	if (r == 0 && (!o.each || !is_store(l->source)))
		return 0;
	line.plain = o.maps.len && !strncmp(o.maps.items[0], "user:", strlen("user:"));
	line.keep_id = o.maps.len == 1 && is_keep_id(o.maps.items[0]);
	if (r == 0)
		r = view_line_check(VIEWS_TABLE, l, &o, &checked, &fault);
	free(checked.dir);
	if (r == 0 && !v->sources.grants.uid && !v->sources.grants.gid && !v->sources.broken)
		r = each_sources_read(&v->sources, &fault);
	if (r == 0)
		r = each_users_list(o.each, &v->sources, &line.users, &fault);
	if (r == 0 && VEC_ADD(&v->lines, line) == 0)
		return 0;
	VEC_DONE(&line.users.items);
	if (r == 0 || r == -ENOMEM)
		return err_nomem(e);
	v->faulty = true;
	table_place(VIEWS_TABLE, l->number, l->target, &fault);
	log_warn_err(&fault);
	return 0;
}

static int read_table(struct podman_views *v, struct err *e)
{
	struct err fault = ERR_INIT;
	int r;

	if (access(VIEWS_TABLE, F_OK) < 0)
		return 0;
	r = table_read(VIEWS_TABLE, TABLE_WARN, &v->table, &fault);
	if (r == -ENOMEM)
		return err_nomem(e);
	if (r < 0) {
		v->faulty = true;
		log_warn_err(&fault);
		return 0;
	}
	for (size_t i = 0; i < v->table.lines.len && r == 0; i++)
		r = take_line(v, &v->table.lines.items[i], e);
	return r;
}

int podman_views_find(struct podman_views *ret, struct err *e)
{
	struct podman_views v = { .faulty = false };
	struct view_search s = { .views = &v, .e = e };
	int r = mount_info_each(NULL, take_mount, &s, e);

	if (r == 0 && v.items.len)
		r = mount_info_each(NULL, take_plain, &s, e);
	if (r == 0)
		r = read_table(&v, e);
	if (r < 0)
		podman_views_done(&v);
	else
		*ret = v;
	return r;
}

void podman_views_done(struct podman_views *v)
{
	for (size_t i = 0; i < v->items.len; i++)
		view_done(&v->items.items[i]);
	VEC_DONE(&v->items);
	for (size_t i = 0; i < v->lines.len; i++)
		VEC_DONE(&v->lines.items[i].users.items);
	VEC_DONE(&v->lines);
	each_sources_done(&v->sources);
	table_done(&v->table);
}

/*
 * --- a user's ------------------------------------------------------------------------------------
 */

bool podman_line_target(const struct podman_line *l, const struct user *user, struct buf *ret)
{
	for (size_t i = 0; i < l->users.items.len; i++) {
		const struct each_user *u = &l->users.items.items[i];

		if (u->user.uid != user->uid)
			continue;
		view_expand(l->line->target, &u->user, ret);
		return buf_get(ret) != NULL;
	}
	return false;
}

bool podman_view_is_of(
	const struct podman_views *v, const struct podman_view *view, const struct user *user)
{
	uint32_t seen;

	for (size_t i = 0; i < v->lines.len; i++) {
		scoped_buf struct buf target = BUF_INIT;

		if (podman_line_target(&v->lines.items[i], user, &target) &&
			!strcmp(target.data, view->target))
			return true;
	}
	return view->map_known && idmap_uid_seen(&view->map, 0, &seen) && seen == user->uid;
}

/*
 * --- other namespaces ----------------------------------------------------------------------------
 */

struct copy_search {
	const struct podman_view *view;
	bool found;
};

static int is_copy(const struct mount_info *i, void *arg)
{
	struct copy_search *s = arg;
	const struct podman_view *v = s->view;

	if (i->too_large || i->dev != v->dev || strcmp(i->root, v->root) != 0 ||
		strcmp(i->target, v->target) != 0 || !i->mapped)
		return 0;
	s->found = !i->map_known || !v->map_known || idmap_equal(&i->map, &v->map);
	return 0; /* of several there, the last one covers the others */
}

int podman_view_is_in(
	const struct podman_view *view, const struct user *user, pid_t pid, struct err *e)
{
	scoped_mntns struct mntns ns = MNTNS_INIT;
	struct copy_search s = { .view = view };
	uid_t owner;
	int r = mntns_of_process(pid, &ns);

	if (r < 0)
		return err_set(e, -r, NULL, "cannot look at the mounts of process %d", (int)pid);
	if (!mntns_owner(&ns, &owner) || owner != user->uid)
		return -ESRCH; /* the number belongs to another process by now */
	r = mount_info_each(&ns, is_copy, &s, e);
	if (r < 0 && ns.id) {
		ns.id = 0; /* statmount(2) requires privileges over the namespace, mountinfo none */
		r = mount_info_each(&ns, is_copy, &s, e);
	}
	return r < 0 ? r : s.found;
}
