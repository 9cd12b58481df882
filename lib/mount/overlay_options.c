/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * overlay_options: parse "rw,lowerdir=/a:/b,upperdir=/u" and, since Linux 6.8,
 * "rw,lowerdir+=/a,lowerdir+=/b,datadir+=/d".
 */

#include "overlay_options.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "../base/buf.h"

static const struct overlay_key {
	const char *name;
	enum overlay_dir_kind kind;
	bool list; /* the value is a list, separated by colons */
} keys[] = {
	{ "lowerdir=", OVERLAY_LOWER, true },
	{ "lowerdir+=", OVERLAY_LOWER, false },
	{ "datadir+=", OVERLAY_DATA, false },
	{ "upperdir=", OVERLAY_UPPER, false },
};

static const struct overlay_key *find_key(const char *option)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (!strncmp(option, keys[i].name, strlen(keys[i].name)))
			return &keys[i];
	return NULL;
}

/*
 * Unescape one path, up to a comma or, in a list, a colon. *p moves behind it, and behind the
 * colon. Returns true if another path follows in the list.
 */
static bool next_path(const char **p, bool list, struct buf *ret)
{
	buf_reset(ret);
	for (; **p && **p != ',' && !(list && **p == ':'); (*p)++) {
		if (**p == '\\' && (*p)[1])
			(*p)++;
		buf_char(ret, **p);
	}
	return list && **p == ':' && (*p)++;
}

static int each_path(const char **p, const struct overlay_key *key,
	int (*fn)(const struct overlay_dir *dir, void *arg), void *arg)
{
	scoped_buf struct buf path = BUF_INIT;
	bool more = true;
	int r = 0;

	while (more && r == 0) {
		more = next_path(p, key->list, &path);
		if (!buf_get(&path))
			return -ENOMEM;
		if (path.len) /* "::" precedes layers with data only */
			r = fn(&(struct overlay_dir){ key->kind, path.data }, arg);
	}
	return r;
}

int overlay_dirs_each(
	const char *options, int (*fn)(const struct overlay_dir *dir, void *arg), void *arg)
{
	int r = 0;

	for (const char *p = options; *p && r == 0; p += *p == ',') {
		const struct overlay_key *key = find_key(p);

		if (key) {
			p += strlen(key->name);
			r = each_path(&p, key, fn, arg);
		}
		while (*p && *p != ',')
			p += 1 + (*p == '\\' && p[1]);
	}
	return r;
}
