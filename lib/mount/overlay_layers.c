/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* overlay_layers: "rw,lowerdir=/a:/b,upperdir=...", since 6.8 also "lowerdir+=/a,lowerdir+=/b". */

#include "overlay_layers.h"

#include <errno.h>
#include <string.h>

#include "../base/buf.h"

/*
 * The value of an option, unescaped, up to the separator that comes first: ',' or, with colon, ':'.
 * Moves *p past it.
 */
static bool next_dir(const char **p, bool colon, struct buf *ret)
{
	buf_reset(ret);
	for (; **p && **p != ',' && !(colon && **p == ':'); (*p)++) {
		if (**p == '\\' && (*p)[1])
			(*p)++;
		buf_char(ret, **p);
	}
	return colon && **p == ':' && (*p)++;
}

static int each_dir(const char **p, bool colon, int (*fn)(const char *dir, void *arg), void *arg)
{
	scoped_buf struct buf dir = BUF_INIT;
	bool more = true;
	int r = 0;

	while (more && r == 0) {
		more = next_dir(p, colon, &dir);
		if (!buf_get(&dir))
			return -ENOMEM;
		if (dir.len) /* "::" begins the data layers */
			r = fn(dir.data, arg);
	}
	return r;
}

int overlay_layers_each(const char *options, int (*fn)(const char *dir, void *arg), void *arg)
{
	static const char *const keys[] = { "lowerdir=", "lowerdir+=", "datadir+=" };
	int r = 0;

	for (const char *p = options; *p && r == 0; p += *p == ',') {
		size_t k = 0;

		while (k < ARRAY_LEN(keys) && strncmp(p, keys[k], strlen(keys[k])) != 0)
			k++;
		if (k < ARRAY_LEN(keys)) {
			p += strlen(keys[k]);
			r = each_dir(&p, k == 0, fn, arg);
		}
		while (*p && *p != ',')
			p += 1 + (*p == '\\' && p[1]);
	}
	return r;
}
