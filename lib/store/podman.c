/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman: keep STORE/podman up to date with the images of the store. */

#include "podman.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/syncfs.h"
#include "podman_priv.h"
#include "store_dir.h"
#include "store_layer.h"
#include "store_lock.h"
#include "store_mount.h"
#include "store_priv.h"
#include "store_staging.h"

struct update {
	struct store_staging *st;
	const struct store *s;
	int podman, overlay, links, splits, images_dir, records;
	bool sync;
	struct podman_layers layers; /* that podman has, or gets */
	struct podman_images images;
};

/* ---- make layers ---- */

/* Is what fails a property of the filesystem, with which the store itself works? */
static bool is_harmless(int r)
{
	return r == -EMLINK || r == -EPERM || r == -EOPNOTSUPP || r == -EXDEV;
}

/* Older versions marked opaque directories in a way that is not for all mounts. 1: it has none. */
static int is_unmarked(const struct store *s, const char *dir, struct err *e)
{
	struct layer_marks marks;
	struct store_layer l;
	int r = store_layer_read(s, dir, &l, e);

	if (r < 0)
		return r;
	r = store_layer_marks(s, &l, &marks, e);
	store_layer_done(&l);
	return r < 0 ? r : !marks.trusted && !marks.user;
}

static int make_layers(struct store_staging *st, const struct podman_image *i,
	const struct podman_layers *there, size_t *ret_made, struct err *e)
{
	const struct store *s = st->store;
	scoped_fd int fd = -1;
	int r;

	if (mkdirat(st->tempdir.fd, PODMAN_STAGED, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, PODMAN_STAGED, "cannot create the directory for podman");
	r = fd_open_beneath(st->tempdir.fd, PODMAN_STAGED, O_RDONLY | O_DIRECTORY, &fd, e);
	for (size_t k = 0; r == 0 && k < i->chain.len; k++) {
		const struct podman_layer *l = &i->chain.items[k];

		if (podman_find(there, l->id))
			continue;
		r = is_unmarked(s, l->dir, e);
		if (r <= 0)
			return r;
		r = podman_tree_make(s, fd, &i->chain, k, e);
		*ret_made += r == 0;
	}
	return r;
}

static int make_missing(
	struct store_staging *st, const char *name, bool sync, size_t *ret_made, struct err *e)
{
	struct podman_layers there = { .items = NULL };
	struct podman_image i = { .name = NULL };
	struct err own = ERR_INIT;
	int r = store_lock(st->store, STORE_IMAGES, LOCK_SHARED, e);

	if (r < 0)
		return r;
	r = podman_image_read(st->store, name, &i, e);
	if (r == 0)
		r = podman_read_layers(st->store, &there, e);
	(void)store_lock(st->store, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	if (r == 0)
		podman_judge(st->store, &i, &there);
	if (r == 0 && i.why == PODMAN_OLD) {
		r = make_layers(st, &i, &there, ret_made, &own);
		if (is_harmless(r))
			log_warn("podman cannot use the image '%s': %s: %s: %s", name, own.on,
				own.what, strerror(-r));
		else if (r < 0 && e)
			*e = own;
		r = is_harmless(r) ? 0 : r;
	}
	if (r == 0 && sync && *ret_made)
		r = syncfs_wait(st->tempdir.fd, st->store->path,
			"cannot write the layers for podman to disk", e);
	podman_image_done(&i);
	free(there.items);
	return r;
}

/* ---- publish them ---- */

static bool is_staged(const struct update *u, const char *id)
{
	char path[PODMAN_ID + 16];

	(void)snprintf(path, sizeof(path), PODMAN_STAGED "/%s", id);
	return faccessat(u->st->tempdir.fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The tree comes first: a record without one is ignored, and a tree without a record removed. */
static int adopt_layer(struct update *u, const struct podman_layer *l, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	char path[PODMAN_ID + 16];
	int r = podman_print_record(l, &text, e);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), PODMAN_STAGED "/%s", l->id);
	if (renameat2(u->st->tempdir.fd, path, u->overlay, l->id, RENAME_NOREPLACE) < 0)
		return err_set(e, errno, l->id, "cannot move the layer to where podman reads it");
	r = podman_put(u->st, u->records, l->id, &text, u->sync, e);
	return r == 0 && VEC_ADD(&u->layers, *l) < 0 ? err_nomem(e) : r;
}

/* Publish the staged layers of this image, if podman then has all. */
static int adopt(struct update *u, const char *name, struct err *e)
{
	const struct podman_image *i = NULL;
	int r = 0;

	for (size_t k = 0; name && k < u->images.len; k++)
		if (!strcmp(u->images.items[k].name, name))
			i = &u->images.items[k];
	if (!i || !podman_runs(i->why))
		return 0;
	for (size_t k = 0; k < i->chain.len; k++)
		if (!podman_find(&u->layers, i->chain.items[k].id) &&
			!is_staged(u, i->chain.items[k].id))
			return 0;
	for (size_t k = 0; r == 0 && k < i->chain.len; k++)
		if (!podman_find(&u->layers, i->chain.items[k].id))
			r = adopt_layer(u, &i->chain.items[k], e);
	return r;
}

/* The link by which podman mounts the layer, and the tar-split. */
static int link_layer(const struct update *u, const struct podman_layer *l, struct err *e)
{
	char target[PODMAN_ID + 16], from[192], to[PODMAN_ID + 16];

	(void)snprintf(target, sizeof(target), "../%s/diff", l->id);
	if (symlinkat(target, u->links, l->link) < 0 && errno != EEXIST)
		return err_set(e, errno, l->link, "cannot create the link for podman");
	(void)snprintf(from, sizeof(from), "%s" STORE_TAR_SPLIT, l->dir);
	(void)snprintf(to, sizeof(to), "%s" STORE_TAR_SPLIT, l->id);
	if (l->tar_size && linkat(u->s->layers, from, u->splits, to, 0) < 0 && errno != EEXIST &&
		errno != ENOENT)
		return err_set(e, errno, from, "cannot link the tar-split for podman");
	return 0;
}

/* ---- remove what is unused ---- */

/* Mark the layers that images have, with those below them. */
static void mark_used(struct update *u, const struct store_mounted *mounted)
{
	bool more = true;

	for (size_t i = 0; i < u->layers.len; i++) {
		struct podman_layer *l = &u->layers.items[i];

		l->used = !mounted || strv_has(&mounted->links, l->link);
	}
	for (size_t i = 0; i < u->images.len; i++) {
		const struct podman_image *x = &u->images.items[i];

		for (size_t k = 0; podman_runs(x->why) && k < x->chain.len; k++)
			podman_find(&u->layers, x->chain.items[k].id)->used = true;
	}
	while (more) {
		more = false;
		for (size_t i = 0; i < u->layers.len; i++) {
			struct podman_layer *l = &u->layers.items[i];
			struct podman_layer *below =
				l->used ? podman_find(&u->layers, l->parent) : NULL;

			more |= below && !below->used;
			if (below)
				below->used = true;
		}
	}
}

static void keep_used(struct update *u)
{
	size_t n = 0;

	for (size_t i = 0; i < u->layers.len; i++)
		if (u->layers.items[i].used)
			u->layers.items[n++] = u->layers.items[i];
	u->layers.len = n;
}

/* Remove each file in a directory that begins with an id, or is a link, of no layer. */
static int sweep(const struct update *u, int dirfd,
	bool (*is_wanted)(const struct update *u, const char *name), struct err *e)
{
	scoped_strv struct strv names = { 0 };
	int r = store_dir_list(dirfd, u->s->path, &names, e);

	for (size_t i = 0; r == 0 && i < names.len; i++)
		if (!is_wanted(u, names.items[i]))
			r = store_staging_discard(u->st, dirfd, names.items[i], e);
	return r;
}

static bool layer_wanted(const struct update *u, const char *name)
{
	char id[PODMAN_ID];

	(void)snprintf(id, sizeof(id), "%s", name); /* truncated on purpose */
	return strspn(name, "0123456789abcdef") < PODMAN_ID - 1 || podman_find(&u->layers, id);
}

static bool image_wanted(const struct update *u, const char *name)
{
	if (strspn(name, "0123456789abcdef") < PODMAN_ID - 1)
		return true;
	for (size_t i = 0; i < u->images.len; i++)
		if (podman_runs(u->images.items[i].why) && !strcmp(u->images.items[i].id, name))
			return true;
	return false;
}

static bool link_wanted(const struct update *u, const char *name)
{
	for (size_t i = 0; i < u->layers.len; i++)
		if (!strcmp(u->layers.items[i].link, name))
			return true;
	return false;
}

/* Images that were removed stay until --prune: a reader may have found them in the old index. */
static int sweep_all(const struct update *u, bool prune, struct err *e)
{
	int r = prune ? sweep(u, u->images_dir, image_wanted, e) : 0;

	if (r == 0)
		r = sweep(u, u->links, link_wanted, e);
	if (r == 0)
		r = sweep(u, u->splits, layer_wanted, e);
	if (r == 0)
		r = sweep(u, u->overlay, layer_wanted, e);
	return r == 0 ? sweep(u, u->records, layer_wanted, e) : r;
}

/* ---- all of it ---- */

static int open_all(struct update *u, struct err *e)
{
	const struct {
		const char *path;
		int *fd;
	} dirs[] = { { "overlay", &u->overlay }, { "overlay/l", &u->links },
		{ "overlay-layers", &u->splits }, { "overlay-images", &u->images_dir } };
	int r = podman_open(u->st, &u->podman, e);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(dirs); i++)
		r = fd_open_beneath(u->podman, dirs[i].path, O_RDONLY | O_DIRECTORY, dirs[i].fd, e);
	if (r == 0)
		r = fd_open_beneath(
			u->s->fd, PODMAN_RECORDS, O_RDONLY | O_DIRECTORY, &u->records, e);
	return r;
}

static int write_all(struct update *u, const struct store_mounted *mounted, struct err *e)
{
	const size_t n = u->layers.len;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = link_layer(u, &u->layers.items[i], e);
	for (size_t i = 0; i < u->images.len; i++)
		podman_judge(u->s, &u->images.items[i], &u->layers);
	if (r == 0 && u->sync)
		r = fd_sync(u->overlay, "overlay", e);
	if (r == 0)
		r = podman_write_layers(u->st, u->podman, &u->layers, u->sync, e);
	if (r == 0)
		r = podman_write_images(u->st, u->podman, &u->images, u->sync, e);
	if (r < 0)
		return r;
	mark_used(u, mounted);
	keep_used(u);
	if (u->layers.len < n)
		r = podman_write_layers(u->st, u->podman, &u->layers, u->sync, e);
	return r == 0 ? sweep_all(u, mounted, e) : r;
}

static int update(struct store_staging *st, const char *name, const struct store_mounted *mounted,
	bool sync, struct err *e)
{
	struct update u = { .st = st,
		.s = st->store,
		.podman = -1,
		.overlay = -1,
		.links = -1,
		.splits = -1,
		.images_dir = -1,
		.records = -1,
		.sync = sync };
	int r;

	if (!podman_is_wanted(st->store))
		return 0;
	r = open_all(&u, e);
	if (r == 0)
		r = podman_read_layers(st->store, &u.layers, e);
	if (r == 0)
		r = podman_read_images(st->store, &u.images, e);
	if (r == 0)
		r = adopt(&u, name, e);
	if (r == 0)
		r = write_all(&u, mounted, e);
	if (r < 0)
		err_prefix(e, "the layout for podman in '%s/" PODMAN_DIR "'", st->store->path);

	podman_images_done(&u.images);
	free(u.layers.items);
	cleanup_fd(&u.podman);
	cleanup_fd(&u.overlay);
	cleanup_fd(&u.links);
	cleanup_fd(&u.splits);
	cleanup_fd(&u.images_dir);
	cleanup_fd(&u.records);
	return r;
}

int podman_update(
	struct store_staging *st, const struct store_mounted *mounted, bool sync, struct err *e)
{
	return update(st, NULL, mounted, sync, e);
}

int podman_share(
	struct store_staging *st, const char *name, bool sync, size_t *ret_made, struct err *e)
{
	size_t made = 0;
	int r;

	if (ret_made)
		*ret_made = 0;
	if (!podman_is_wanted(st->store))
		return 0;
	r = make_missing(st, name, sync, &made, e);
	if (r == 0)
		r = store_lock(st->store, STORE_IMAGES, LOCK_EXCLUSIVE, e);
	if (r < 0)
		return r;
	r = update(st, name, NULL, sync, e);
	(void)store_lock(st->store, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	if (ret_made)
		*ret_made = made;
	return r;
}
