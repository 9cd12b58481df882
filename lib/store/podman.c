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
#include "../base/lock.h"
#include "../base/log.h"
#include "../mount/fs_limits.h"
#include "../mount/stored_layer.h"
#include "podman_priv.h"
#include "store_dir.h"
#include "store_layer.h"
#include "store_lock.h"
#include "store_mount.h"
#include "store_priv.h"
#include "store_staging.h"

enum { TRIES = 4 }; /* while other processes share images with the same layers */

struct update {
	struct store_staging *st;
	struct store *s;
	const struct store_mounted *mounted; /* of --prune; else NULL */
	int podman, overlay, links, splits, images_dir, records;
	bool sync;
	struct podman_layers layers; /* that podman has, or gets */
	struct podman_images images;
	struct podman_held_list held;
	struct podman_maps maps; /* the views under other maps, */
	bool maps_given;         /* ... of which the store does not know yet */
};

/* ---- publish layers ---- */

/* The type of what was made for the layer to be its diff; 0: nothing was. */
static mode_t staged_type(const struct update *u, const char *id)
{
	char path[PODMAN_ID + 32];
	struct stat st;

	(void)snprintf(path, sizeof(path), PODMAN_STAGED "/%s/diff", id);
	return fstatat(u->st->tempdir.fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 :
										st.st_mode & S_IFMT;
}

/* Remove overlay/ID, after the store's layers that have their directory there got it back. */
static int remove_layer(struct update *u, const char *id, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < u->held.len; i++) {
		const struct podman_held *h = &u->held.items[i];

		if (strcmp(h->id, id) != 0)
			continue;
		r = podman_holds(u->s, id, h->dir, e);
		if (r > 0)
			r = podman_give_back(u->s, u->overlay, h, e);
	}
	return r == 0 ? store_staging_discard(u->st, u->overlay, id, e) : r;
}

/*
 * Move the layer into place. As long as layers.json does not name it, podman does not look at it,
 * and what a killed process left there can go.
 */
static int place_layer(struct update *u, const struct podman_layer *l, struct err *e)
{
	const bool take = staged_type(u, l->id) == S_IFLNK;
	struct podman_held h = { .dir = "" };
	char path[PODMAN_ID + 16], split[PODMAN_ID + 16];
	int r = 0;

	if (faccessat(u->overlay, l->id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		r = remove_layer(u, l->id, e);
	(void)snprintf(split, sizeof(split), "%s" STORE_TAR_SPLIT, l->id);
	(void)unlinkat(u->splits, split, 0); /* if there is one; link_layer() reports others */
	(void)snprintf(path, sizeof(path), PODMAN_STAGED "/%s", l->id);
	if (r == 0 && renameat2(u->st->tempdir.fd, path, u->overlay, l->id, RENAME_NOREPLACE) < 0)
		r = err_set(e, errno, l->id, "cannot move the layer to where podman reads it");
	if (r < 0 || !take)
		return r;
	memcpy(h.dir, l->dir, sizeof(h.dir));
	memcpy(h.id, l->id, sizeof(h.id));
	r = store_format_allow_links(u->s, e);
	return r == 0 ? podman_take(u->s, u->overlay, &h, u->sync, e) : r;
}

/* The record comes last: a layer without one is not complete. */
static int adopt_layer(struct update *u, const struct podman_layer *l, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	int r = podman_print_record(l, &text, e);

	if (r == 0)
		r = podman_holds(u->s, l->id, l->dir, e);
	if (r == 0)
		r = place_layer(u, l, e);
	if (r >= 0)
		r = podman_put(u->st, u->records, l->id, &text, u->sync, e);
	return r == 0 && VEC_ADD(&u->layers, *l) < 0 ? err_nomem(e) : r;
}

/*
 * 1: the layer can be published, or is there; 0: it was not made; -EAGAIN: make it again; or what
 * podman_holds() returns.
 */
static int is_ready(const struct update *u, const struct podman_layer *l, struct err *e)
{
	const mode_t type = staged_type(u, l->id);
	char id[STORED_LAYER_ID];
	int r;

	if (podman_find(&u->layers, l->id) || type == S_IFDIR)
		return 1;
	r = podman_holds(u->s, l->id, l->dir, e);
	if (r != 0)
		return r;
	if (type != S_IFLNK)
		return 0;
	/* Another process may have taken the directory for a layer with another id. */
	return stored_layer_id(u->s->layers, l->dir, id) == 0 ? 1 : -EAGAIN;
}

static int adopt_layers(struct update *u, const struct podman_layers *chain,
	struct podman_adoption *a, struct err *e)
{
	struct err own = ERR_INIT;
	int r = 1;

	for (size_t k = 0; r > 0 && k < chain->len; k++)
		r = is_ready(u, &chain->items[k], e);
	a->again = r == -EAGAIN;
	if (r <= 0)
		return a->again ? 0 : r;
	r = 0;
	for (size_t k = 0; r == 0 && k < chain->len; k++)
		if (!podman_find(&u->layers, chain->items[k].id))
			r = adopt_layer(u, &chain->items[k], &own);
	if (!a->trees && (r == -EXDEV || r == -EBUSY || r == -EINVAL)) {
		log_verbose("'%s': podman gets links to its files: %s: %s", own.on, own.what,
			strerror(-r));
		a->trees = a->again = true;
		return 0;
	}
	if (r < 0 && e)
		*e = own;
	return r == 0 && u->sync ? fd_sync(u->s->layers, u->s->path, e) : r;
}

/* Publish the staged layers of this image, if podman then has all. */
static int adopt(struct update *u, struct podman_adoption *a, struct err *e)
{
	const struct podman_image *i = NULL;

	for (size_t k = 0; a && k < u->images.len; k++)
		if (!strcmp(u->images.items[k].name, a->name))
			i = &u->images.items[k];
	return i && podman_runs(i->why) ? adopt_layers(u, &i->chain, a, e) : 0;
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

/* Is podman's layer mounted, or the store's layer that has its directory there? */
static bool is_mounted(const struct update *u, const char *id)
{
	const struct podman_held *h = podman_find_held(&u->held, id);
	char link[PODMAN_LINK];

	(void)podman_link(id, link);
	for (size_t i = 0; i < u->mounted->links.len; i++)
		if (podman_link_compare(u->mounted->links.items[i], link) == 0)
			return true;
	return h && strv_has(&u->mounted->names, h->dir);
}

/* Mark the layers that images have, with those below them. */
static void mark_used(struct update *u)
{
	bool more = true;

	for (size_t i = 0; i < u->layers.len; i++) {
		struct podman_layer *l = &u->layers.items[i];

		l->used = !u->mounted || is_mounted(u, l->id);
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

static bool is_id(const char *name)
{
	return strspn(name, "0123456789abcdef") >= PODMAN_ID - 1;
}

/* Remove each file in a directory that begins with an id, or is a link, of no layer. */
static int sweep(struct update *u, int dirfd,
	bool (*is_wanted)(const struct update *u, const char *name), struct err *e)
{
	scoped_strv struct strv names = { 0 };
	int r = store_dir_list(dirfd, u->s->path, &names, e);

	for (size_t i = 0; r == 0 && i < names.len; i++) {
		if (is_wanted(u, names.items[i]))
			continue;
		r = dirfd == u->overlay ? remove_layer(u, names.items[i], e) :
					  store_staging_discard(u->st, dirfd, names.items[i], e);
	}
	return r;
}

/* Without a record, but with the directory of a layer, it stays until --prune. */
static bool layer_wanted(const struct update *u, const char *name)
{
	char id[PODMAN_ID];

	(void)snprintf(id, sizeof(id), "%s", name); /* truncated on purpose */
	if (!is_id(name) || podman_find(&u->layers, id))
		return true;
	return podman_find_held(&u->held, id) && (!u->mounted || is_mounted(u, id));
}

static bool image_wanted(const struct update *u, const char *name)
{
	if (!is_id(name))
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

#define MAPS_WORK(u) \
	((struct podman_maps_work){ .st = (u)->st, \
		.podman = (u)->podman, \
		.links = (u)->links, \
		.splits = (u)->splits, \
		.maps = &(u)->maps, \
		.layers = &(u)->layers, \
		.images = &(u)->images, \
		.sync = (u)->sync })

/* Images that were removed stay until --prune: a reader may have found them in the old index. */
static int sweep_all(struct update *u, struct err *e)
{
	int r = u->mounted ? sweep(u, u->images_dir, image_wanted, e) : 0;

	if (r == 0)
		r = sweep(u, u->links, link_wanted, e);
	if (r == 0)
		r = sweep(u, u->splits, layer_wanted, e);
	if (r == 0)
		r = podman_maps_sweep(&MAPS_WORK(u), u->mounted, e);
	if (r == 0)
		r = sweep(u, u->overlay, layer_wanted, e);
	return r == 0 ? sweep(u, u->records, layer_wanted, e) : r;
}

/* ---- all of it ---- */

/* The owner of a view can have one, and get another one as soon as the kernel has taken it. */
static void warn_of_delegations(const struct update *u)
{
	const int dirs[] = { u->podman, u->overlay, u->links, u->splits, u->images_dir };
	scoped_buf struct buf who = BUF_INIT;
	size_t i = 0;

	while (i < ARRAY_LEN(dirs) && !lock_print_delegate(dirs[i], &who))
		i++;
	if (i < ARRAY_LEN(dirs) && buf_get(&who))
		log_warn("'%s/" PODMAN_DIR "': %s has a delegation on a directory there, so each "
			 "change waits for it, up to 45 seconds each time; try: end it; 'sysctl "
			 "fs.leases-enable=0' forbids leases and delegations",
			u->s->path, who.data);
}

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
	if (r == 0)
		warn_of_delegations(u);
	return r;
}

static void judge_all(struct update *u)
{
	for (size_t i = 0; i < u->images.len; i++)
		podman_judge(u->s, &u->images.items[i], &u->layers);
}

/* What layers.json is going to name must be on disk before it. */
static int sync_layers(const struct update *u, struct err *e)
{
	int r = fd_sync(u->overlay, "overlay", e);

	if (r == 0)
		r = fd_sync(u->links, "overlay/l", e);
	return r == 0 ? fd_sync(u->records, PODMAN_RECORDS, e) : r;
}

static int write_all(struct update *u, struct err *e)
{
	const size_t n = u->layers.len;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = link_layer(u, &u->layers.items[i], e);
	judge_all(u);
	if (r == 0 && u->sync)
		r = sync_layers(u, e);
	if (r == 0)
		r = podman_write_layers(u->st, u->podman, &u->layers, u->sync, e);
	if (r == 0)
		r = podman_write_images(u->st, u->podman, &u->images, u->sync, e);
	if (r == 0)
		r = podman_maps_write(&MAPS_WORK(u), true, e);
	if (r == 0)
		r = podman_read_held(u->s, &u->held, e);
	if (r < 0)
		return r;
	mark_used(u);
	keep_used(u);
	if (u->layers.len < n)
		r = podman_maps_write(&MAPS_WORK(u), false, e);
	if (r == 0 && u->layers.len < n)
		r = podman_write_layers(u->st, u->podman, &u->layers, u->sync, e);
	return r == 0 ? sweep_all(u, e) : r;
}

#define UPDATE_INIT(store, mounts) \
	((struct update){ .s = (store), \
		.mounted = (mounts), \
		.podman = -1, \
		.overlay = -1, \
		.links = -1, \
		.splits = -1, \
		.images_dir = -1, \
		.records = -1 })

static void update_done(struct update *u)
{
	podman_images_done(&u->images);
	free(u->layers.items);
	free(u->held.items);
	podman_maps_done(&u->maps);
	cleanup_fd(&u->podman);
	cleanup_fd(&u->overlay);
	cleanup_fd(&u->links);
	cleanup_fd(&u->splits);
	cleanup_fd(&u->images_dir);
	cleanup_fd(&u->records);
}

/* Bring everything up to date, and free u, of which the caller has set what it knows. */
static int update(struct update *u, struct podman_adoption *a, struct err *e)
{
	int r = 0;

	if (!podman_is_wanted(u->s)) {
		update_done(u);
		return 0;
	}
	if (!u->maps_given)
		r = podman_maps_read(u->s, &u->maps, e);
	if (r == 0)
		r = open_all(u, e);
	if (r == 0)
		r = podman_read_layers(u->s, &u->layers, e);
	if (r == 0)
		r = podman_read_images(u->s, &u->images, e);
	if (r == 0)
		r = podman_read_held(u->s, &u->held, e);
	if (r == 0)
		r = adopt(u, a, e);
	if (r == 0)
		r = write_all(u, e);
	if (r < 0)
		err_prefix(e, "the layout for podman in '%s/" PODMAN_DIR "'", u->s->path);
	update_done(u);
	return r;
}

int podman_update(
	struct store_staging *st, const struct store_mounted *mounted, bool sync, struct err *e)
{
	struct update u = UPDATE_INIT(st->store, mounted);

	u.st = st;
	u.sync = sync;
	return update(&u, NULL, e);
}

int podman_update_maps(struct store_staging *st, struct podman_maps *maps, struct err *e)
{
	struct update u = UPDATE_INIT(st->store, NULL);

	u.st = st;
	u.sync = true;
	u.maps = *maps;
	u.maps_given = true;
	*maps = (struct podman_maps){ .items = NULL };
	return update(&u, NULL, e);
}

static int share(struct store_staging *st, struct podman_adoption *a, bool sync, size_t *ret_made,
	struct err *e)
{
	struct update u = UPDATE_INIT(st->store, NULL);
	int r;

	u.st = st;
	u.sync = sync;
	a->again = false;
	*ret_made = 0;
	r = podman_make_missing(st, a, sync, ret_made, e);
	if (r == 0)
		r = store_lock(st->store, STORE_IMAGES, LOCK_EXCLUSIVE, e);
	if (r < 0)
		return r;
	r = update(&u, a, e);
	(void)store_lock(st->store, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	return r;
}

/* The image itself is published already: what failed is what podman needs besides. */
static void say_stored(const struct store *s, const char *name, struct err *e)
{
	err_prefix(e, "the image '%s' is in the store, but podman may not find it", name);
	err_try(e, "shiftbox image-unpack -s '%s' --upgrade '%s'", s->path, name);
}

int podman_share(
	struct store_staging *st, const char *name, bool sync, size_t *ret_made, struct err *e)
{
	/* Links on FUSE are not followed: base/path.h. */
	struct podman_adoption a = {
		.name = name, .again = true, .trees = fs_kind_of(st->store->fd) == FS_FUSE
	};
	size_t made = 0;
	int r = 0;

	if (podman_is_wanted(st->store))
		for (int i = 0; r == 0 && a.again && i < TRIES; i++)
			r = share(st, &a, sync, &made, e);
	else
		a.again = false;
	if (r == 0 && a.again)
		log_warn("podman cannot use the image '%s' yet: other processes change its layers; "
			 "try: shiftbox image-unpack -s '%s' --upgrade '%s'",
			name, st->store->path, name);
	if (r < 0)
		say_stored(st->store, name, e);
	if (ret_made)
		*ret_made = made;
	return r;
}

int podman_keep(
	struct store *s, const struct store_mounted *mounted, struct strv *ret, struct err *e)
{
	struct update u = UPDATE_INIT(s, mounted);
	int r = store_lock(s, STORE_IMAGES, LOCK_SHARED, e);

	if (r < 0)
		return r;
	r = podman_read_layers(s, &u.layers, e);
	if (r == 0)
		r = podman_read_held(s, &u.held, e);
	if (r == 0 && (u.layers.len || u.held.len))
		r = podman_read_images(s, &u.images, e);
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	judge_all(&u);
	if (r == 0)
		mark_used(&u);
	for (size_t i = 0; r == 0 && i < u.layers.len; i++)
		if (u.layers.items[i].used && strv_add(ret, u.layers.items[i].dir) < 0)
			r = err_nomem(e);
	for (size_t i = 0; r == 0 && i < u.held.len; i++)
		if ((!mounted || is_mounted(&u, u.held.items[i].id)) &&
			strv_add(ret, u.held.items[i].dir) < 0)
			r = err_nomem(e);
	update_done(&u);
	return r;
}
