/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list_mapped: the mounts that have a map, here and in other mount namespaces. */

#include "list_mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../base/sys.h"
#include "../base/vec.h"
#include "../mount/info.h"
#include "../mount/mntns.h"
#include "../mount/overlay_options.h"
#include "infer_map.h"

enum { SAMPLES_MAX = 2000 };

/* What is needed of a mount to find the raw side of another one. */
struct unmapped_mount {
	char *target, *root;
	dev_t dev;
};

/* The mounts of one namespace are listed. */
struct mapped_listing {
	const struct list_mapped_options *o;
	int (*fn)(const struct mapped_mount *m, void *arg);
	void *arg;
	struct err *e;
	const struct mntns *ns;
	int on;                              /* id of the mount that o->below is on, or -1 */
	VEC(struct unmapped_mount) unmapped; /* without a map */
	const struct mapped_listing *home;   /* of the caller's own namespace, for others: its
	                                 unmapped show what   those may not have */
	int failed;                          /* what fn returned */
	size_t *closed;
};

static void listing_done(struct mapped_listing *l)
{
	for (size_t i = 0; i < l->unmapped.len; i++) {
		free(l->unmapped.items[i].target);
		free(l->unmapped.items[i].root);
	}
	VEC_DONE(&l->unmapped);
}

static bool wanted(const struct mapped_listing *l, const struct mount_info *i)
{
	return !l->o->below || i->id == l->on || path_below(i->target, l->o->below);
}

static int report(struct mapped_listing *l, const struct mount_info *i, struct mapped_mount *m)
{
	m->target = i->target;
	m->source = i->source;
	m->root = i->root;
	m->type = i->type;
	m->namespace = l->ns->inode;
	m->pid = l->ns->pid;
	m->command = l->ns->command;
	l->failed = l->fn(m, l->arg);
	return l->failed;
}

/*
 * --- without statmount: samples
 * ----------------------------------------------------------------------
 */

/*
 * What is at path and rest below it in the namespace, on the mount with this id (-1: on any). Where
 * another mount covers it, nothing.
 */
static int open_in(const struct mapped_listing *l, const char *path, const char *rest, int id)
{
	scoped_buf struct buf b = BUF_INIT;
	scoped_fd int fd = -1;
	struct statx stx;

	buf_printf(&b, "%s%s", path, rest);
	if (!buf_get(&b))
		return -1;
	fd = mntns_open_path(l->ns, b.data, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) < 0)
		return -1;
	return id < 0 || stx.stx_mnt_id == (uint64_t)id ? TAKE_FD(fd) : -1;
}

/*
 * Compare with each other mount in from of the filesystem that shows this directory, until one
 * tells something.
 */
static ssize_t infer_from(const struct mapped_listing *from, const struct mount_info *i, int seen,
	struct idmap *ret, struct err *e)
{
	ssize_t n = 0;

	for (size_t k = 0; from && k < from->unmapped.len && n == 0; k++) {
		const struct unmapped_mount *raw = &from->unmapped.items[k];
		const char *rest = raw->dev == i->dev ? path_below(i->root, raw->root) : NULL;
		scoped_fd int disk = rest ? open_in(from, raw->target, rest, -1) : -1;

		if (disk >= 0)
			n = infer_map(seen, disk, SAMPLES_MAX, ret, e);
	}
	return n;
}

static ssize_t infer(const struct mapped_listing *l, const struct mount_info *i, struct idmap *ret)
{
	/* What lies in a stranger's tree, and may never answer, is not walked through. */
	scoped_fd int seen = mntns_is_of_our_userns(l->ns) ? open_in(l, i->target, "", i->id) : -1;
	ssize_t n;

	if (seen < 0)
		return 0;
	n = infer_from(l, i, seen, ret, l->e);
	return n ? n : infer_from(l->home, i, seen, ret, l->e);
}

static int list_hidden(struct mapped_listing *l, const struct mount_info *i)
{
	struct mapped_mount m = { .from = MAP_FROM_NOWHERE };
	scoped_idmap struct idmap map = { .gid_assumed = false };
	ssize_t n = infer(l, i, &map);

	if (n < 0)
		return (int)n;
	if (n > 0) {
		m.from = MAP_FROM_SAMPLES;
		m.samples = (size_t)n;
		m.map = &map;
	}
	return report(l, i, &m);
}

/*
 * --- overlays
 * ----------------------------------------------------------------------------------------
 */

/* What can be known of the layers of an overlay. */
struct layers {
	const struct mntns *ns;
	bool unknown, mapped;
	struct mount_info info;
};

static int look_at_layer(const struct overlay_dir *dir, void *arg)
{
	struct layers *y = arg;
	struct mount_info i = { .id = -1 };
	scoped_fd int fd = -1;

	/*
	 * The kernel shows the path that it had within its mount: for a detached clone that is "/"
	 * or lost, and a relative one was good where the overlay was mounted.
	 */
	if (dir->kind == OVERLAY_UPPER)
		return 0;
	if (dir->path[0] == '/' && dir->path[1])
		fd = mntns_open_path(y->ns, dir->path, O_PATH | O_DIRECTORY, 0);
	if (fd < 0 || mount_info_in(y->ns, fd, &i) < 0) {
		y->unknown = true;
		return 0;
	}
	if (i.mapped && !y->mapped) {
		y->mapped = true;
		y->info = i;
	} else {
		mount_info_done(&i);
	}
	return 0;
}

static int list_overlay(struct mapped_listing *l, const struct mount_info *i)
{
	struct mapped_mount m = { .overlay = true, .from = MAP_FROM_NOWHERE };
	struct layers y = {
		.ns = l->ns, .unknown = !l->ns->ours && !l->ns->id, .info = { .id = -1 }
	};
	int r = overlay_dirs_each(i->options, look_at_layer, &y);

	if (r == 0 && y.mapped && y.info.map_known) {
		m.from = MAP_FROM_LAYERS;
		m.map = &y.info.map;
	}
	m.surely = y.mapped;
	if (r < 0)
		r = err_nomem(l->e);
	else if (y.mapped || y.unknown)
		r = report(l, i, &m);
	mount_info_done(&y.info);
	return r;
}

/*
 * --- one namespace
 * -------------------------------------------------------------------------------------
 */

static int collect_unmapped(const struct mount_info *i, void *arg)
{
	struct mapped_listing *l = arg;
	struct unmapped_mount m = { strdup(i->target), strdup(i->root), i->dev };

	if (i->mapped) {
		free(m.target);
		free(m.root);
		return 0;
	}
	return !m.target || !m.root || VEC_ADD(&l->unmapped, m) < 0 ? err_nomem(l->e) : 0;
}

static int list_mount(const struct mount_info *i, void *arg)
{
	struct mapped_listing *l = arg;

	if (!wanted(l, i))
		return 0;
	if (i->too_large) {
		struct mapped_mount m = { .from = MAP_FROM_NOWHERE,
			.too_large = true,
			.overlay = !strcmp(i->type, "overlay") };

		return report(l, i, &m);
	}
	if (i->mapped && i->map_known) {
		struct mapped_mount m = { .from = MAP_FROM_KERNEL, .map = &i->map };

		return report(l, i, &m);
	}
	if (i->mapped)
		return list_hidden(l, i);
	return strcmp(i->type, "overlay") ? 0 : list_overlay(l, i);
}

/* The id of the mount that the path is on there. */
static int mount_on(const struct mntns *n, const char *path)
{
	scoped_fd int fd = mntns_open_path(n, path, O_PATH, 0);
	struct statx stx;

	return fd >= 0 &&
			statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) == 0 ?
		(int)stx.stx_mnt_id :
		-1;
}

static int list_all(struct mapped_listing *l)
{
	int r = 0;

	l->on = l->o->below ? mount_on(l->ns, l->o->below) : -1;
	if (!l->ns->id && !(l->ns->ours && mount_info_has_maps()))
		r = mount_info_each(l->ns, collect_unmapped, l, l->e);
	return r < 0 ? r : mount_info_each(l->ns, list_mount, l, l->e);
}

/*
 * --- all of them
 * -----------------------------------------------------------------------------------------
 */

/* Another namespace. Its owner may be any user, and must not end the list for the others. */
static int list_other(const struct mntns *n, void *arg)
{
	const struct mapped_listing *base = arg;
	struct err e = ERR_INIT;
	struct mapped_listing l = *base;
	int r;

	l.ns = n;
	l.e = &e;
	r = list_all(&l);
	listing_done(&l);
	if (r >= 0)
		return 0;
	if (l.failed || r == -ENOMEM) {
		if (base->e && !base->e->set)
			*base->e = e;
		return r;
	}
	if (!n->id && mntns_has_left(n))
		return -ESTALE;
	log_verbose("the mounts of process %d cannot be listed: %s: %s", (int)n->pid, e.what,
		strerrordesc_np(-r));
	*l.closed += 1;
	return 0;
}

int list_mapped(const struct list_mapped_options *o,
	int (*fn)(const struct mapped_mount *m, void *arg), void *arg, size_t *ret_closed,
	struct err *e)
{
	scoped_mntns struct mntns ns = MNTNS_INIT;
	struct mapped_listing own = { .o = o,
		.fn = fn,
		.arg = arg,
		.e = e,
		.ns = &ns,
		.closed = ret_closed },
			      other = own;
	int r = mntns_own(&ns, e);

	*ret_closed = 0;
	if (r < 0)
		return r;
	other.home = &own;
	r = list_all(&own);
	if (r == 0 && o->all_namespaces && !mount_info_has_maps())
		log_verbose("this kernel does not tell maps: those of other namespaces are "
			    "inferred, from mountinfo and the owners of files");
	if (r == 0 && o->all_namespaces)
		r = mntns_each(false, list_other, &other, ret_closed, e);
	listing_done(&own);
	return r;
}
