/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_prune: remove the layers that no image lists. */

#include "store_prune.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "podman.h"
#include "store_dir.h"
#include "store_image.h"
#include "store_layer.h"
#include "store_lock.h"
#include "store_mount.h"
#include "store_priv.h"
#include "store_staging.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * The directories that images list, sorted. An image that cannot be read could list any layer, so
 * it is an error.
 */
static int used_layers(struct store *s, struct strv *ret, struct err *e)
{
	scoped_strv struct strv images = { 0 };
	int r = store_lock(s, STORE_IMAGES, LOCK_SHARED, e);

	if (r < 0)
		return r;
	r = store_image_list(s, &images, e);
	for (size_t i = 0; r == 0 && i < images.len; i++) {
		r = store_image_dirs(s, images.items[i], ret, e);
		if (r < 0)
			err_try(e,
				"unpack the image again (shiftbox image-unpack -N %s SOURCE), "
				"then remove it if it is not needed",
				images.items[i]);
	}
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	if (r == 0 && ret->len)
		qsort(ret->items, ret->len, sizeof(*ret->items), by_name);
	return r;
}

static int prune_layer(struct store *s, struct store_staging *st, const char *dir,
	const struct store_pruning *p, struct err *e)
{
	struct store_layer l = { .dir = NULL };
	struct store_layer bare = { .dir = (char *)(uintptr_t)dir };
	int r = 0;

	if (st)
		log_verbose("removing the layer '%s', which no image names", dir);
	if (p->removed && store_layer_read(s, dir, &l, NULL) < 0)
		l.dir = NULL;
	if (st)
		r = store_staging_discard(st, s->layers, dir, e);
	if (r == 0 && p->removed)
		p->removed(l.dir ? &l : &bare, p->arg);
	store_layer_done(&l);
	return r;
}

/* 1 if the layer can be removed. Images that were removed or replaced may still be mounted. */
static int may_go(const struct store_mounted *mounted, const char *dir, const struct strv *used,
	const struct store_pruning *p, struct err *e)
{
	if (!store_layer_name_ok(dir) || (p->only && !strv_has(p->only, dir)) ||
		(used->len && bsearch(&dir, used->items, used->len, sizeof(*used->items), by_name)))
		return 0;
	if (strv_has(&mounted->names, dir)) {
		log_verbose("keeping the layer '%s', which no image names: it is mounted", dir);
		if (p->mounted)
			p->mounted(dir, p->arg);
		return 0;
	}
	if (!mounted->opaque.target.len)
		return 1;
	(void)err_say(e, EBUSY, buf_get(&mounted->opaque.target),
		"an image is mounted here, but the kernel does not show which layers it uses");
	store_mount_explain(&mounted->opaque,
		"made by an older shiftbox, or with more layers than the kernel accepts by name, ",
		e);
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
	/*
	 * A process that mounts an image holds the shared lock from before it looks up the layers
	 * until they are mounted.
	 */
	r = store_lock(s, STORE_LAYERS, LOCK_EXCLUSIVE, e);
	return r < 0 ? r : store_mount_find_layers(s, s->mounted, e);
}

/*
 * Remove what podman no longer needs, so that it does not keep layers from being removed, and count
 * what it needs among the layers that are mounted. If only some layers are to go, podman keeps all.
 */
static int prune_podman(
	struct store *s, struct store_staging *st, const struct store_pruning *p, struct err *e)
{
	scoped_strv struct strv kept = { 0 };
	int r = 0;

	if (st && !p->only)
		r = store_lock(s, STORE_IMAGES, LOCK_EXCLUSIVE, e);
	if (r == 0 && st && !p->only) {
		r = podman_update(st, s->mounted, true, e);
		(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	}
	if (r == 0)
		r = podman_keep(s, p->only ? NULL : s->mounted, &kept, e);
	for (size_t i = 0; r == 0 && i < kept.len; i++)
		if (!strv_has(&s->mounted->names, kept.items[i]) &&
			strv_add(&s->mounted->names, kept.items[i]) < 0)
			r = err_nomem(e);
	return r;
}

int store_prune(struct store *s, const struct store_pruning *p, struct err *e)
{
	scoped_strv struct strv used = { 0 }, names = { 0 };
	scoped_store_staging struct store_staging *st = NULL;
	int r = store_prune_begin(s, e);

	if (r == 0 && !p->dry_run)
		r = store_staging_new(s, &st, e);
	if (r == 0)
		r = used_layers(s, &used, e);
	if (r == 0)
		r = prune_podman(s, st, p, e);
	if (r == 0)
		r = store_dir_list(s->layers, s->path, &names, e);
	for (size_t i = 0; r == 0 && i < names.len; i++) {
		r = may_go(s->mounted, names.items[i], &used, p, e);
		if (r > 0)
			r = prune_layer(s, st, names.items[i], p, e);
	}
	if (r == 0 && !p->dry_run)
		r = store_layer_sweep(s, e);
	if (s->mounted)
		store_mounted_done(s->mounted);
	free(s->mounted);
	s->mounted = NULL;
	(void)store_lock(s, STORE_LAYERS, s->layers_locked ? LOCK_SHARED : LOCK_OFF,
		NULL); /* does not fail */
	return r;
}
