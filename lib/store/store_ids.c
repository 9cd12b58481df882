/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store_ids: remember the ID map of the user namespace in which a store was filled. Under another
 * map, the files in the store would belong to other ids.
 */

#include "store_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../idmap/idmap_diff.h"
#include "../idmap/userns.h"
#include "store_dir.h"
#include "store_lock.h"

#define FILE_NAME "ids"
#define FILE_NEW "tmp/ids"

enum { TEXT_MAX = 1 << 16, WHY_MAX = 200 };

/* The first id that is no longer stored as the same disk id. */
struct moved {
	bool found, more; /* more: ids are available that were not before */
	bool fewer;       /* only the last id is missing */
	uint32_t last;
	char why[WHY_MAX];
	const char *kind;
};

static int compare(const struct iddiff *d, void *arg)
{
	struct moved *m = arg;

	if (!d->first) {
		m->more = true;
		return 0;
	}
	/*
	 * "unshare -r --map-auto" maps one id fewer: the caller's own id takes a place, and the
	 * granted range is cut to fit.
	 */
	if (!d->second && d->disk == m->last && d->disk > 0) {
		m->fewer = true;
		return 0;
	}
	m->found = true;
	if (d->second)
		(void)snprintf(m->why, sizeof(m->why),
			"%s %u was stored as %u, and would be as %u now", m->kind, d->disk,
			d->first_seen, d->second_seen);
	else
		(void)snprintf(m->why, sizeof(m->why),
			"%s %u was stored as %u, and there is no such id now", m->kind, d->disk,
			d->first_seen);
	return 1;
}

/* Returns whether a moved id was found. */
static bool find_moved_of(
	const char *kind, const struct idranges *was, const struct idranges *now, struct moved *ret)
{
	const struct idrange *last = was->len ? &was->items[was->len - 1] : NULL;

	ret->kind = kind;
	ret->last = last ? last->disk + (last->count - 1) : 0;
	return idranges_diff(was, now, compare, ret) != 0;
}

static void find_moved(const struct idmap *was, const struct idmap *now, struct moved *ret)
{
	if (!find_moved_of("user", &was->uid, &now->uid, ret))
		(void)find_moved_of("group", &was->gid, &now->gid, ret); /* the result is in ret */
}

/* -ENOENT if the file does not exist. */
static int read_ids(const struct store *s, struct idmap *ret, struct err *e)
{
	const struct idmap_context strict = { .strict = true };
	scoped_buf struct buf b = BUF_INIT;
	const char *text;
	int r = store_dir_read(s->fd, FILE_NAME, TEXT_MAX, &b, e);

	if (r < 0)
		return r;
	text = buf_get(&b);
	if (strlen(text) != b.len || idmap_parse(&text, 1, &strict, ret, NULL) < 0)
		return store_file_damaged(s, FILE_NAME,
			"it must have the map of the namespace that filled the store", e);
	return 0;
}

static int write_ids(const struct store *s, const struct idmap *m, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	int r;

	idmap_print(m, &b);
	buf_char(&b, '\n');
	if (!buf_get(&b))
		return err_nomem(e);
	(void)unlinkat(s->fd, FILE_NEW, 0); /* left by a killed process: the lock is held */
	r = fd_write_file(s->fd, FILE_NEW, 0600, b.data, b.len, e);
	if (r < 0)
		return r;
	if (renameat(s->fd, FILE_NEW, s->fd, FILE_NAME) < 0)
		return err_set(
			e, errno, s->path, "cannot note the ids that the store is filled with");
	return fd_sync(s->fd, s->path, e);
}

static int check(const struct store *s, bool write, struct err *e)
{
	scoped_idmap struct idmap was = { .gid_assumed = false }, now = { .gid_assumed = false };
	struct moved m = { .found = false };
	struct err own = ERR_INIT;
	int r = userns_map_own(&now, e);

	if (r < 0)
		return r;
	r = read_ids(s, &was, &own);
	if (r == -ENOENT)
		return write ? write_ids(s, &now, e) : 0;
	if (r < 0) {
		if (e)
			*e = own;
		return r;
	}
	find_moved(&was, &now, &m);
	if (m.fewer)
		log_verbose(
			"the store was filled with one id more than is available here, %u", m.last);
	if (!m.found)
		return write && m.more ? write_ids(s, &now, e) : 0;
	if (!write) {
		log_warn("the store was filled with other ids than are available here: %s", m.why);
		return 0;
	}
	(void)err_say(
		e, EPERM, s->path, "the store was filled with other ids than are available now");
	err_why(e, "%s: its files would belong to other users", m.why);
	err_try(e,
		"bring the old lines of /etc/subuid and /etc/subgid back (the map is in the file "
		"'%s' of the store), or name another store with --store",
		FILE_NAME);
	return -EPERM;
}

int store_ids_check(const struct store *s, bool write, struct err *e)
{
	int r = write ? store_lock(s, STORE_IMAGES, LOCK_EXCLUSIVE, e) : 0;

	if (r < 0)
		return r;
	r = check(s, write, e);
	if (write)
		(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	return r;
}
