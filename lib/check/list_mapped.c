/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list_mapped: find ID-mapped mounts in the caller's and in other mount namespaces. */

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
#include "../mount/record_store.h"
#include "infer_map.h"

enum { SAMPLES_MAX = 2000 };

/* A mount without a map, on which the disk side of an ID-mapped one may be found. */
struct unmapped_mount {
	char *target, *root;
	dev_t dev;
};

/* The state of listing one mount namespace. */
struct mapped_listing {
	const struct list_mapped_options *o;
	int (*fn)(const struct mapped_mount *m, void *arg);
	void *arg;
	struct err *e;
	const struct mntns *ns;
	int on; /* the id of the mount that o->below is on, or -1 */
	VEC(struct unmapped_mount) unmapped;
	const struct mapped_listing *home; /* for another namespace: the caller's own */
	int failed;                        /* the result of fn */
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
 * --- maps without statmount(2) ---------------------------------------------------------------
 */

/*
 * Open the path that path and rest form, in the namespace, without following links. Returns an
 * O_PATH descriptor, or -1, also if it is not on the mount with this id (-1: any mount), for
 * example because another mount covers it.
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
 * Try each unmapped mount in from that shows the same directory of the same filesystem, until one
 * yields a map.
 */
static ssize_t infer_from(const struct mapped_listing *from, const struct mount_info *i, int seen,
	struct idmap *ret, struct err *e)
{
	ssize_t n = 0;

	for (size_t k = 0; from && k < from->unmapped.len && n == 0; k++) {
		const struct unmapped_mount *plain = &from->unmapped.items[k];
		const char *rest = plain->dev == i->dev ? path_below(i->root, plain->root) : NULL;
		scoped_fd int disk = rest ? open_in(from, plain->target, rest, -1) : -1;

		if (disk >= 0)
			n = infer_map(seen, disk, SAMPLES_MAX, ret, e);
	}
	return n;
}

static ssize_t infer(const struct mapped_listing *l, const struct mount_info *i, struct idmap *ret)
{
	/* Another user's mounts may be FUSE filesystems that never answer: do not walk them. */
	scoped_fd int seen = mntns_is_of_our_userns(l->ns) ? open_in(l, i->target, "", i->id) : -1;
	ssize_t n;

	if (seen < 0)
		return 0;
	n = infer_from(l, i, seen, ret, l->e);
	return n ? n : infer_from(l->home, i, seen, ret, l->e);
}

/* Report a mount by its record. Returns 1 if no record has its map. */
static int list_recorded(struct mapped_listing *l, const struct mount_info *i)
{
	scoped_mount_record struct mount_record rec = { .mount = 0 };
	struct mapped_mount m = { .from = MAP_FROM_RECORD, .record = &rec };
	bool known;

	if (!record_store_find(i, l->ns, &rec))
		return 1;
	known = rec.map.wish != MAP_KEEP;
	for (size_t k = 0; k < rec.layers.len; k++)
		known = known && rec.layers.items[k].wish != MAP_KEEP;
	if (!known)
		return 1;
	if (!rec.maps.len)
		return i->mapped; /* nothing has a map, or the record is of something else */
	m.overlay = rec.kind == MOUNT_OVERLAY;
	m.surely = true;
	m.map = mount_record_map(&rec);
	return report(l, i, &m);
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
 * --- overlays --------------------------------------------------------------------------------
 */

/* What is found out about the layers of an overlay. */
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
	 * The kernel shows the path of the layer within its mount. For a detached clone that is "/"
	 * or nothing; a relative path depends on the directory of the process that mounted it.
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
	int r = list_recorded(l, i);

	if (r <= 0)
		return r;
	r = overlay_dirs_each(i->options, look_at_layer, &y);
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
 * --- one namespace ---------------------------------------------------------------------------
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
	if (i->mapped) {
		int r = list_recorded(l, i);

		return r == 1 ? list_hidden(l, i) : r;
	}
	return strcmp(i->type, "overlay") ? 0 : list_overlay(l, i);
}

/* The id of the mount that path is on in the namespace, or -1. */
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
 * --- all namespaces --------------------------------------------------------------------------
 */

/* List another namespace. Its owner may be any user: errors there must not end the whole list. */
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
	record_store_sweep();
	other.home = &own;
	r = list_all(&own);
	if (r == 0 && o->all_namespaces && !mount_info_has_maps())
		log_verbose("this kernel does not return maps: those of other namespaces are "
			    "inferred from mountinfo and the owners of files");
	if (r == 0 && o->all_namespaces)
		r = mntns_each(false, list_other, &other, ret_closed, e);
	listing_done(&own);
	return r;
}
