/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* named_layers: find the layers of an overlay by the names in its options. */

#include "named_layers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/log.h"
#include "../base/path.h"
#include "../base/sys.h"
#include "../mount/info_anywhere.h"
#include "../mount/overlay_options.h"

struct name_walk {
	struct named_layers *ret;
	bool upper; /* look at the upper directory, else at the layers */
	struct err *e;
};

/*
 * --- opening -----------------------------------------------------------------------------------
 */

static int open_cached(const char *path)
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_CACHED | RESOLVE_NO_MAGICLINKS,
	};

	return sys_openat2(AT_FDCWD, path, &how);
}

struct above_search {
	const char *path;
	char *target; /* the longest mount point above path that has a map */
};

static int look_above(const struct mount_info *i, void *arg)
{
	struct above_search *s = arg;
	char *target;

	if (!i->mapped || i->too_large || !path_below(s->path, i->target) ||
		(s->target && strlen(i->target) < strlen(s->target)))
		return 0;
	target = strdup(i->target);
	if (!target)
		return -ENOMEM;
	free(s->target);
	s->target = target;
	return 0;
}

enum { LINKS = 2 }; /* overlay/l/LINK and overlay/ID/diff */

/*
 * Does a link in the mount lead to another place? In a store for podman, the layers under another
 * map are links to another view (store/podman_maps.h). The links at the end of path are read one by
 * one.
 */
static bool leads_out(int top, const char *path, char ret[static PATH_MAX])
{
	const struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
	};
	char at[PATH_MAX];

	(void)snprintf(at, sizeof(at), "%s", path);
	for (int i = 0; i < LINKS; i++) {
		scoped_fd int fd = sys_openat2(top, at, &how);
		char *name = strrchr(at, '/');
		ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", ret, PATH_MAX - 1);
		size_t room;

		if (n <= 0 || !name)
			return false;
		ret[n] = '\0';
		if (*ret == '/')
			return true;
		room = sizeof(at) - (size_t)(++name - at);
		if ((size_t)snprintf(name, room, "%s", ret) >= room)
			return false;
	}
	return false;
}

/*
 * Only root has made ID-mapped mounts in this namespace, so the way to one, and what is in it, does
 * not depend on the user who wrote the name.
 */
static int open_beneath_mapped(const char *path, char ret_link[static PATH_MAX])
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
	};
	struct above_search s = { .path = path };
	scoped_fd int top = -1;
	const char *rest;
	int fd = -1;

	if (mount_info_each(NULL, look_above, &s, NULL) == 0 && s.target &&
		path_open(s.target, O_PATH | O_DIRECTORY, "cannot open the view", NULL, &top,
			NULL) == 0) {
		rest = path_below(path, s.target);
		fd = sys_openat2(top, *rest ? rest + 1 : ".", &how);
		if (fd < 0 && (!*rest || !leads_out(top, rest + 1, ret_link)))
			*ret_link = '\0';
	}
	free(s.target);
	return fd;
}

static int open_in_mapped(const char *path)
{
	char link[PATH_MAX] = "", other[PATH_MAX];
	int fd = open_beneath_mapped(path, link);

	return fd < 0 && *link ? open_beneath_mapped(link, other) : fd;
}

static int open_name(const struct named_layers *l, const char *path, bool *ret_users)
{
	int fd = -1;

	if (!l->foreign)
		return path_open(path, O_PATH | O_DIRECTORY, "cannot open the layer", NULL, &fd,
			       NULL) < 0 ?
			-1 :
			fd;
	fd = open_in_mapped(path);
	*ret_users = fd < 0;
	return fd >= 0 ? fd : open_cached(path);
}

/*
 * --- the layers --------------------------------------------------------------------------------
 */

static void layer_done(struct named_layer *l)
{
	cleanup_fd(&l->fd);
	free(l->path);
	free(l->mount);
	if (l->kind == MOUNT_MAP_KNOWN)
		idmap_done(&l->map);
}

/* Find the mount and its map, as far as they are known. */
static int look_at(struct named_layer *l, struct err *e)
{
	scoped_mount_info struct mount_info i = { .id = -1 };
	int r = mount_map_read(l->fd, l->path, &l->map, NULL);

	if (r == -ENOMEM)
		return err_nomem(e);
	l->kind = r < 0 ? MOUNT_MAP_HIDDEN : (enum mount_map_kind)r;
	if (mount_info_get(l->fd, &i, NULL) < 0 || !i.target)
		return 0;
	l->mount = strdup(i.target);
	return l->mount ? 0 : err_nomem(e);
}

static int add_name(const struct overlay_dir *dir, void *arg)
{
	struct name_walk *w = arg;
	struct named_layer l = { .fd = -1, .kind = MOUNT_MAP_HIDDEN };
	int r;

	if ((dir->kind == OVERLAY_UPPER) != w->upper)
		return 0;
	/* "/" is what the kernel shows of a layer without a name. */
	if (dir->path[0] == '/' && dir->path[1])
		l.fd = open_name(w->ret, dir->path, &l.users);
	if (l.fd < 0) {
		log_verbose("'%s', which an overlay names, cannot be found from here", dir->path);
		w->ret->whole &= w->upper;
		return 0;
	}
	l.upper = w->upper;
	l.path = strdup(dir->path);
	r = l.path ? look_at(&l, w->e) : err_nomem(w->e);
	if (r == 0 && VEC_ADD(&w->ret->items, l) < 0)
		r = err_nomem(w->e);
	if (r < 0)
		layer_done(&l);
	return r;
}

int named_layers_open(int fd, struct named_layers *ret, struct err *e)
{
	scoped_mount_info struct mount_info i = { .id = -1 };
	scoped_mntns struct mntns ns = MNTNS_INIT;
	struct named_layers l = { .whole = true };
	struct name_walk w = { .ret = &l, .upper = true, .e = e };
	int r = mount_info_anywhere(fd, &i, &ns, e);

	if (r < 0)
		return r;
	l.foreign = ns.fd >= 0 && !mntns_is_of_our_userns(&ns);
	r = overlay_dirs_each(i.options, add_name, &w);
	w.upper = false;
	if (r == 0)
		r = overlay_dirs_each(i.options, add_name, &w);
	if (r < 0) {
		named_layers_done(&l);
		return err_nomem(e);
	}
	*ret = l;
	return 0;
}

const struct idmap *named_layers_map(const struct named_layers *l)
{
	const struct idmap *map = NULL;

	for (size_t i = 0; i < l->items.len; i++) {
		const struct named_layer *x = &l->items.items[i];

		if (x->upper)
			continue;
		if (x->kind != MOUNT_MAP_KNOWN || (map && !idmap_equal(map, &x->map)))
			return NULL;
		map = &x->map;
	}
	return l->whole ? map : NULL;
}

void named_layers_done(struct named_layers *l)
{
	for (size_t i = 0; i < l->items.len; i++)
		layer_done(&l->items.items[i]);
	VEC_DONE(&l->items);
	*l = (struct named_layers){ .whole = false };
}
