/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_gc: removing images, and the layers that no image needs. */

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "store_priv.h"
#include "store_publish.h"

/* "sha256-...mtree" without its suffix; NULL when it is no sidecar's name. */
static char *sidecar_owner(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; store_sidecars[i]; i++) {
		size_t k = strlen(store_sidecars[i]);

		if (n > k && !strcmp(name + n - k, store_sidecars[i]))
			return strndup(name, n - k);
	}
	return NULL;
}

int store_sweep_sidecars(const struct store *s, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	int r = store_dir_list(s->layers, s->path, &names, e);

	for (size_t i = 0; r == 0 && i < names.len; i++) {
		scoped_free char *owner = sidecar_owner(names.items[i]);

		if (!owner || !store_layer_name_ok(owner) ||
			faccessat(s->layers, owner, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		log_verbose("removing '%s': its layer was never finished", names.items[i]);
		if (unlinkat(s->layers, names.items[i], 0) < 0)
			r = err_set(
				e, errno, names.items[i], "cannot remove the file from the store");
	}
	return r;
}

int store_remove(struct store *s, const char *name, struct err *e)
{
	scoped_staging struct staging *st = NULL;
	scoped_strv struct strv dirs = { 0 };
	int r;

	r = store_image_dirs(s, name, &dirs, e);
	if (r == -ENOENT)
		return r; /* what is damaged can be removed all the same */
	r = store_name_check(name, e);
	if (r == 0)
		r = staging_new(s, &st, e);
	/*
	 * --prune, which reads all images, must not find this one gone between its list and its
	 * look at it.
	 */
	if (r == 0)
		r = store_lock(s, STORE_IMAGES, LOCK_EXCLUSIVE, e);
	if (r < 0)
		return r;
	r = staging_discard(st, s->images, name, e);
	if (r == 0)
		r = fd_sync(s->images, s->path, e);
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * The directories that images name, sorted. An image that cannot be read could name any: an error.
 */
static int used_layers(struct store *s, struct strv *ret, struct err *e)
{
	scoped_strv struct strv images = { 0 };
	int r = store_lock(s, STORE_IMAGES, LOCK_SHARED, e);

	if (r < 0)
		return r;
	r = store_images(s, &images, e);
	for (size_t i = 0; r == 0 && i < images.len; i++) {
		r = store_image_dirs(s, images.items[i], ret, e);
		if (r < 0)
			err_try(e, "remove the image with --remove, or unpack it again");
	}
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	if (r == 0 && ret->len)
		qsort(ret->items, ret->len, sizeof(*ret->items), by_name);
	return r;
}

static int prune_layer(struct store *s, struct staging *st, const char *dir,
	void (*fn)(const struct store_layer *, void *), void *arg, struct err *e)
{
	struct store_layer l = { .dir = NULL };
	struct store_layer bare = { .dir = (char *)(uintptr_t)dir };
	int r = 0;

	if (st)
		log_verbose("removing the layer '%s', which no image names", dir);
	if (fn && store_layer_read(s, dir, &l, NULL) < 0)
		l.dir = NULL;
	if (st)
		r = staging_discard(st, s->layers, dir, e);
	if (r == 0 && fn)
		fn(l.dir ? &l : &bare, arg);
	store_layer_done(&l);
	return r;
}

/* 1: it may go. A stack whose image was removed or replaced since still has its layers. */
static int may_go(
	const char *dir, const struct strv *used, const struct store_in_use *mounted, struct err *e)
{
	if (!store_layer_name_ok(dir) ||
		(used->len && bsearch(&dir, used->items, used->len, sizeof(*used->items), by_name)))
		return 0;
	if (strv_has(&mounted->names, dir)) {
		log_verbose("keeping the layer '%s', which no image names: it is mounted", dir);
		return 0;
	}
	if (!mounted->untold.target.len)
		return 1;
	(void)err_say(e, EBUSY, buf_get(&mounted->untold.target),
		"an image is mounted there, and the mount does not tell its layers");
	store_mount_explain(&mounted->untold,
		"made by an older shiftbox, or of more layers than the kernel takes by name, ", e);
	return -EBUSY;
}

int store_prune_begin(struct store *s, struct err *e)
{
	int r;

	if (s->mounted)
		return 0;
	s->mounted = calloc(1, sizeof(*s->mounted));
	if (!s->mounted)
		return err_nomem(e);
	/* Who mounts holds the lock from before the layers are looked up until they are mounted. */
	r = store_lock(s, STORE_LAYERS, LOCK_EXCLUSIVE, e);
	return r < 0 ? r : store_find_in_use(s, s->mounted, e);
}

int store_prune(struct store *s, bool dry_run, void (*fn)(const struct store_layer *l, void *arg),
	void *arg, struct err *e)
{
	scoped_strv struct strv used = { 0 }, names = { 0 };
	scoped_staging struct staging *st = NULL;
	int r = store_prune_begin(s, e);

	if (r == 0 && !dry_run)
		r = staging_new(s, &st, e);
	if (r == 0)
		r = used_layers(s, &used, e);
	if (r == 0)
		r = store_dir_list(s->layers, s->path, &names, e);
	for (size_t i = 0; r == 0 && i < names.len; i++) {
		r = may_go(names.items[i], &used, s->mounted, e);
		if (r > 0)
			r = prune_layer(s, st, names.items[i], fn, arg, e);
	}
	if (r == 0 && !dry_run)
		r = store_sweep_sidecars(s, e);
	if (s->mounted)
		store_in_use_done(s->mounted);
	free(s->mounted);
	s->mounted = NULL;
	(void)store_lock(s, STORE_LAYERS, s->layers_locked ? LOCK_SHARED : LOCK_OFF,
		NULL); /* giving up a lock does not fail */
	return r;
}
