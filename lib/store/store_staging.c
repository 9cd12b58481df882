/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_staging: the staging directory of a store. */

#include "store_staging.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../mount/fs_limits.h"
#include "store_base.h"
#include "store_layer.h"
#include "store_lock.h"
#include "store_priv.h"
#include "tempdir.h"
#include "tempdir_mapped.h"

/* In a store with a base, make the ID-mapped view of the staging directory. */
static int make_view(struct store_staging *st, struct err *e)
{
	scoped_idmap struct idmap map = { .gid_assumed = false };
	int r;

	if (!st->store->base.count)
		return 0;
	r = store_base_map(st->store, &map, e);
	return r == 0 ? tempdir_mapped_new(&st->tempdir, &map, &st->mapped, e) : r;
}

int store_staging_new(struct store *s, struct store_staging **ret, struct err *e)
{
	scoped_store_staging struct store_staging *st = NULL;
	int r;

	st = calloc(1, sizeof(*st));
	if (!st)
		return err_nomem(e);
	st->store = s;
	st->tempdir = TEMPDIR_INIT;
	st->mapped = TEMPDIR_MAPPED_INIT;
	if (asprintf(&st->path, "%s/tmp", s->path) < 0) {
		st->path = NULL;
		return err_nomem(e);
	}
	r = tempdir_new(s->tmp, st->path, "", &st->tempdir, e);
	if (r == 0)
		r = fs_try_rename(st->tempdir.fd, true, s->path, e);
	if (r == 0)
		r = make_view(st, e);
	if (r == 0)
		r = store_lock(s, STORE_IMAGES, LOCK_EXCLUSIVE, e);
	if (r < 0)
		return r;
	r = store_layer_sweep(s, e);
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	if (r < 0)
		return r;

	*ret = TAKE_PTR(st);
	return 0;
}

void store_staging_free(struct store_staging *st)
{
	if (!st)
		return;
	tempdir_mapped_done(&st->mapped);
	tempdir_done(&st->tempdir);
	free(st->path);
	free(st);
}

int store_staging_fd(const struct store_staging *st)
{
	return st->mapped.view >= 0 ? st->mapped.view : st->tempdir.fd;
}

int store_staging_plain_fd(const struct store_staging *st)
{
	return st->mapped.plain >= 0 ? st->mapped.plain : st->tempdir.fd;
}

int store_staging_discard(struct store_staging *st, int dirfd, const char *name, struct err *e)
{
	char to[32];

	(void)snprintf(to, sizeof(to), "discarded-%u", st->discarded++);
	if (renameat2(dirfd, name, st->tempdir.fd, to, RENAME_NOREPLACE) < 0)
		return err_set(e, errno, name, "cannot move it out of the store");
	return fd_remove_tree(st->tempdir.fd, to, e);
}
