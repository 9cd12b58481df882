/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_maps_write: the stores of users with views under other maps, STORE/podman/maps/UID. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/syncfs.h"
#include "podman_priv.h"
#include "store_dir.h"
#include "store_layer.h"
#include "store_priv.h"
#include "store_staging.h"

#define UP "../../../" /* from a directory of maps/UID to podman/ */
#define TEMP_DIR "podman-map"
#define BELOW "below"

/* The store of one user. */
struct user_store {
	const struct podman_maps_work *w;
	struct podman_maps maps; /* those of the user, borrowed */
	uint32_t uid;
	int overlay, links, splits, images;
};

static void user_done(struct user_store *u)
{
	cleanup_fd(&u->overlay);
	cleanup_fd(&u->links);
	cleanup_fd(&u->splits);
	cleanup_fd(&u->images);
}

#define scoped_user __attribute__((cleanup(user_done)))

/* The next user in the list, from *at on. */
static bool next_user(const struct podman_maps *all, size_t *at, struct podman_maps *ret)
{
	const size_t first = *at;

	if (first >= all->len)
		return false;
	while (*at < all->len && all->items[*at].uid == all->items[first].uid)
		++*at;
	*ret = (struct podman_maps){ .items = all->items + first, .len = *at - first };
	return true;
}

static int open_user(const struct podman_maps_work *w, const struct podman_maps *maps,
	struct user_store *ret, struct err *e)
{
	const struct {
		const char *path;
		int *fd;
	} dirs[] = { { "overlay", &ret->overlay }, { "overlay/l", &ret->links },
		{ "overlay-layers", &ret->splits }, { "overlay-images", &ret->images } };
	char path[PODMAN_MAPS_PATH];
	scoped_fd int fd = -1;
	int r = 0;

	*ret = (struct user_store){ .w = w,
		.maps = *maps,
		.uid = maps->items[0].uid,
		.overlay = -1,
		.links = -1,
		.splits = -1,
		.images = -1 };
	(void)podman_maps_path(ret->uid, path);
	/* podman_maps_write() calls syncfs(2), and then replaces the indexes. */
	if (faccessat(w->podman, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		r = podman_make_empty(w->st, w->podman, path, false, e);
	if (r == 0)
		r = fd_open_beneath(w->podman, path, O_RDONLY | O_DIRECTORY, &fd, e);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(dirs); i++)
		r = fd_open_beneath(fd, dirs[i].path, O_RDONLY | O_DIRECTORY, dirs[i].fd, e);
	return r;
}

/* ---- layers ---- */

/*
 * Give a file of podman/ a name here, too; on a filesystem that has enough names of it, or none, a
 * link to it.
 */
static int link_file(
	int from, const char *name, int to, const char *new, const char *dir, struct err *e)
{
	char text[PODMAN_ID + 64];

	if (linkat(from, name, to, new, 0) == 0 || errno == EEXIST || errno == ENOENT)
		return 0;
	(void)snprintf(text, sizeof(text), UP "%s/%s", dir, name);
	if (symlinkat(text, to, new) == 0 || errno == EEXIST)
		return 0;
	return err_set(e, errno, new, "cannot link the file for podman");
}

static int link_split(
	struct user_store *u, const struct podman_layer *l, const char *id, struct err *e)
{
	char from[PODMAN_ID + 16], to[PODMAN_ID + 16];

	if (!l->tar_size)
		return 0;
	(void)snprintf(from, sizeof(from), "%s" STORE_TAR_SPLIT, l->id);
	(void)snprintf(to, sizeof(to), "%s" STORE_TAR_SPLIT, id);
	return link_file(u->w->splits, from, u->splits, to, "overlay-layers", e);
}

static int add_plain(struct user_store *u, const struct podman_layer *l, struct err *e)
{
	char text[PODMAN_ID + 32];
	int r;

	(void)snprintf(text, sizeof(text), UP "overlay/%s", l->id);
	if (symlinkat(text, u->overlay, l->id) < 0 && errno != EEXIST)
		return err_set(e, errno, l->id, "cannot create the link for podman");
	r = link_file(u->w->links, l->link, u->links, l->link, "overlay/l", e);
	return r == 0 ? link_split(u, l, l->id, e) : r;
}

/* The links of the layers below, nearest first, under the map. */
static void print_lower(const struct podman_layers *layers, const struct podman_layer *l,
	const char *text, struct buf *ret)
{
	char link[PODMAN_LINK];

	for (size_t i = 0; i < layers->len; i++) { /* the chain has no loop: each id is a hash */
		const struct podman_layer *below = podman_find(layers, l->parent);

		if (!below)
			return;
		buf_printf(
			ret, "%sl/%s", ret->len ? ":" : "", podman_map_link(text, below->id, link));
		l = below;
	}
}

/* Make the directory of a layer under a map, in the staging directory. */
static int make_mapped(struct user_store *u, const struct podman_map *m,
	const struct podman_layer *l, const char *diff, struct err *e)
{
	scoped_buf struct buf link = BUF_INIT, lower = BUF_INIT;
	const int tmp = u->w->st->tempdir.fd;
	char name[PODMAN_LINK];
	scoped_fd int fd = -1;
	int r = fd_remove_tree(tmp, TEMP_DIR, e);

	if (r == 0 && mkdirat(tmp, TEMP_DIR, 0700) < 0)
		r = err_set(e, errno, TEMP_DIR, "cannot create the directory for podman");
	if (r == 0)
		r = fd_open_beneath(tmp, TEMP_DIR, O_RDONLY | O_DIRECTORY, &fd, e);
	if (r == 0 && symlinkat(diff, fd, "diff") < 0)
		r = err_set(e, errno, diff, "cannot create the link for podman");
	buf_str(&link, podman_map_link(m->text, l->id, name));
	if (r == 0)
		r = podman_put_new(fd, "link", &link, false, e);
	print_lower(u->w->layers, l, m->text, &lower);
	if (r == 0 && *l->parent)
		r = podman_put_new(fd, "lower", &lower, false, e);
	return r;
}

/* Is this the target of the link? Links are not opened, so no lease is in the way. */
static bool has_target(int dirfd, const char *path, const char *want)
{
	const size_t n = strlen(want);
	scoped_free char *is = malloc(n + 1);

	return is && readlinkat(dirfd, path, is, n + 1) == (ssize_t)n && !memcmp(is, want, n);
}

static int add_mapped(struct user_store *u, const struct podman_map *m,
	const struct podman_layer *l, struct err *e)
{
	char id[PODMAN_ID], link[PODMAN_LINK], path[PODMAN_ID + 16];
	scoped_buf struct buf diff = BUF_INIT;
	int r = 0;

	(void)podman_map_id(m->text, l->id, id);
	buf_printf(&diff, "%s/overlay/%s/diff", m->target, l->id);
	if (!buf_get(&diff))
		return err_nomem(e);
	(void)snprintf(path, sizeof(path), "%s/diff", id);
	if (!has_target(u->overlay, path, buf_get(&diff))) {
		const bool there = faccessat(u->overlay, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

		r = make_mapped(u, m, l, buf_get(&diff), e);
		if (r == 0 &&
			renameat2(u->w->st->tempdir.fd, TEMP_DIR, u->overlay, id,
				there ? RENAME_EXCHANGE : RENAME_NOREPLACE) < 0)
			r = err_set(e, errno, id, "cannot move it to where podman reads it");
	}
	(void)snprintf(path, sizeof(path), "../%s/diff", id);
	(void)podman_map_link(m->text, l->id, link);
	if (r == 0 && symlinkat(path, u->links, link) < 0 && errno != EEXIST)
		r = err_set(e, errno, link, "cannot create the link for podman");
	return r == 0 ? link_split(u, l, id, e) : r;
}

static int add_layers(struct user_store *u, struct err *e)
{
	const struct podman_layers *layers = u->w->layers;
	int r = 0;

	for (size_t i = 0; r == 0 && i < layers->len; i++) {
		r = add_plain(u, &layers->items[i], e);
		for (size_t k = 0; r == 0 && k < u->maps.len; k++)
			if (u->maps.items[k].mounted)
				r = add_mapped(u, &u->maps.items[k], &layers->items[i], e);
	}
	return r;
}

/* ---- images ---- */

/* The documents of an image are those of the plain store. */
static int add_images(struct user_store *u, struct err *e)
{
	for (size_t i = 0; i < u->w->images->len; i++) {
		const struct podman_image *x = &u->w->images->items[i];
		char text[PODMAN_ID + 32];

		(void)snprintf(text, sizeof(text), UP "overlay-images/%s", x->id);
		if (podman_runs(x->why) && symlinkat(text, u->images, x->id) < 0 && errno != EEXIST)
			return err_set(e, errno, x->id, "cannot create the link for podman");
	}
	return 0;
}

/* ---- the indexes ---- */

static void temp_name(uint32_t uid, const char *what, char ret[static 32])
{
	(void)snprintf(ret, 32, "map-%u-%s", uid, what); /* fits */
}

static int stage_layers(struct user_store *u, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	char name[32];
	int r = podman_print_layers(u->w->layers, &u->maps, true, &text, e);

	temp_name(u->uid, "layers", name);
	return r == 0 ? podman_put_new(u->w->st->tempdir.fd, name, &text, false, e) : r;
}

static int stage_images(struct user_store *u, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	char name[32];
	int r = podman_print_images(u->w->images, &u->maps, &text, e);

	temp_name(u->uid, "images", name);
	return r == 0 ? podman_put_new(u->w->st->tempdir.fd, name, &text, false, e) : r;
}

/* One map of each text: all layers that an image of a user may be built on. */
static int each_text(const struct podman_maps *all, struct podman_maps *ret, struct err *e)
{
	for (size_t i = 0; i < all->len; i++) {
		bool there = false;

		for (size_t k = 0; k < ret->len && !there; k++)
			there = !strcmp(ret->items[k].text, all->items[i].text);
		if (!there && VEC_ADD(ret, all->items[i]) < 0)
			return err_nomem(e);
	}
	return 0;
}

/* The index for the directories below the views (podman_below.h), which has no maps. */
static int stage_below(const struct podman_maps_work *w, struct err *e)
{
	struct podman_maps texts = { .items = NULL };
	scoped_buf struct buf text = BUF_INIT;
	int r = each_text(w->maps, &texts, e);

	if (r == 0)
		r = podman_print_layers(w->layers, &texts, false, &text, e);
	if (r == 0)
		r = podman_put_new(w->st->tempdir.fd, BELOW, &text, false, e);
	free(texts.items); /* the items are borrowed */
	return r;
}

static int publish(
	const struct podman_maps_work *w, const char *temp, const char *path, struct err *e)
{
	if (renameat(w->st->tempdir.fd, temp, w->podman, path) == 0)
		return 0;
	return err_set(e, errno, path, "cannot move it to where podman reads it");
}

static int publish_user(const struct podman_maps_work *w, uint32_t uid, bool images, struct err *e)
{
	char temp[32], path[PODMAN_MAPS_PATH], to[PODMAN_MAPS_PATH + 32];
	int r;

	(void)podman_maps_path(uid, path);
	temp_name(uid, "layers", temp);
	(void)snprintf(to, sizeof(to), "%s/overlay-layers/layers.json", path);
	r = publish(w, temp, to, e);
	if (r < 0 || !images)
		return r;
	temp_name(uid, "images", temp);
	(void)snprintf(to, sizeof(to), "%s/overlay-images/images.json", path);
	return publish(w, temp, to, e);
}

static int stage_user(struct user_store *u, bool images, struct err *e)
{
	int r = images ? add_layers(u, e) : 0;

	if (r == 0 && images)
		r = add_images(u, e);
	if (r == 0)
		r = stage_layers(u, e);
	return r == 0 && images ? stage_images(u, e) : r;
}

int podman_maps_write(const struct podman_maps_work *w, bool images, struct err *e)
{
	struct podman_maps of_user;
	int r = 0;

	if (!w->maps->len)
		return 0;
	if (mkdirat(w->podman, PODMAN_MAPS, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, PODMAN_MAPS, "cannot create the directory for podman");
	for (size_t at = 0; r == 0 && next_user(w->maps, &at, &of_user);) {
		scoped_user struct user_store u;

		r = open_user(w, &of_user, &u, e);
		if (r == 0)
			r = stage_user(&u, images, e);
	}
	if (r == 0)
		r = stage_below(w, e);
	/* Everything that the new indexes name is on disk before them. */
	if (r == 0 && w->sync)
		r = syncfs_wait(w->st->tempdir.fd, w->st->store->path,
			"cannot write the stores under other maps to disk", e);
	for (size_t at = 0; r == 0 && next_user(w->maps, &at, &of_user);)
		r = publish_user(w, of_user.items[0].uid, images, e);
	return r == 0 ? publish(w, BELOW, PODMAN_MAPS "/layers.json", e) : r;
}

/* ---- what is unused ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The ids and links of the layers that the user has, sorted. */
static int list_wanted(const struct user_store *u, struct strv *ret, struct err *e)
{
	const struct podman_layers *layers = u->w->layers;
	char id[PODMAN_ID], link[PODMAN_LINK];
	int bad = 0;

	for (size_t i = 0; i < layers->len; i++) {
		const struct podman_layer *l = &layers->items[i];

		bad |= strv_add(ret, l->id) | strv_add(ret, l->link);
		for (size_t k = 0; k < u->maps.len; k++) {
			const struct podman_map *m = &u->maps.items[k];

			if (m->mounted)
				bad |= strv_add(ret, podman_map_id(m->text, l->id, id)) |
					strv_add(ret, podman_map_link(m->text, l->id, link));
		}
	}
	for (size_t i = 0; i < u->w->images->len; i++)
		if (podman_runs(u->w->images->items[i].why))
			bad |= strv_add(ret, u->w->images->items[i].id);
	if (bad)
		return err_nomem(e);
	if (ret->len > 1)
		qsort(ret->items, ret->len, sizeof(*ret->items), by_text);
	return 0;
}

/* The id at the beginning of a name, or the link that it is; NULL: it is neither. */
static const char *key_of(const char *name, char buf[static PODMAN_ID])
{
	if (podman_link_ok(name, strlen(name)))
		return name;
	if (strspn(name, "0123456789abcdef") < PODMAN_ID - 1)
		return NULL;
	(void)snprintf(buf, PODMAN_ID, "%s", name); /* truncated on purpose */
	return buf;
}

static int sweep_dir(
	const struct user_store *u, int dirfd, const struct strv *wanted, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	int r = store_dir_list(dirfd, u->w->st->store->path, &names, e);

	for (size_t i = 0; r == 0 && i < names.len; i++) {
		char buf[PODMAN_ID];
		const char *key = key_of(names.items[i], buf);

		if (key &&
			(!wanted->len ||
				!bsearch(&key, wanted->items, wanted->len, sizeof(key), by_text)))
			r = store_staging_discard(u->w->st, dirfd, names.items[i], e);
	}
	return r;
}

static int sweep_user(const struct user_store *u, bool images, struct err *e)
{
	const int dirs[] = { u->links, u->splits, u->overlay, u->images };
	scoped_strv struct strv wanted = { 0 };
	int r = list_wanted(u, &wanted, e);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(dirs) - !images; i++)
		r = sweep_dir(u, dirs[i], &wanted, e);
	return r;
}

int podman_maps_sweep(const struct podman_maps_work *w, bool images, struct err *e)
{
	struct podman_maps of_user;
	int r = 0;

	for (size_t at = 0; r == 0 && next_user(w->maps, &at, &of_user);) {
		scoped_user struct user_store u;

		r = open_user(w, &of_user, &u, e);
		if (r == 0)
			r = sweep_user(&u, images, e);
	}
	return r;
}
