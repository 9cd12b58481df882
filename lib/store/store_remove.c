/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_remove: remove images from a store. */

#include <errno.h>

#include "../base/fd.h"
#include "podman.h"
#include "store_image.h"
#include "store_lock.h"
#include "store_priv.h"
#include "store_staging.h"

static void say_removed(const struct store *s, const char *name, struct err *e)
{
	err_prefix(e, "the image '%s' is removed, but podman may still find it", name);
	err_try(e, "shiftbox image-unpack -s '%s' --prune", s->path);
}

int store_image_remove(struct store *s, const char *name, struct err *e)
{
	scoped_store_staging struct store_staging *st = NULL;
	scoped_strv struct strv dirs = { 0 };
	char file[STORE_IMAGE_FILE];
	int r;

	r = store_image_dirs(s, name, &dirs, e);
	if (r == -ENOENT)
		return r; /* a damaged image can be removed */
	r = store_image_file(name, file, e);
	if (r == 0)
		r = store_staging_new(s, &st, e);
	/*
	 * --prune reads all images: none may disappear between its listing and its reading of them.
	 */
	if (r == 0)
		r = store_lock(s, STORE_IMAGES, LOCK_EXCLUSIVE, e);
	if (r < 0)
		return r;
	r = store_staging_discard(st, s->images, file, e);
	if (r == 0)
		r = fd_sync(s->images, s->path, e);
	if (r == 0) {
		r = podman_update(st, NULL, true, e);
		if (r < 0)
			say_removed(s, name, e);
	}
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	return r;
}
