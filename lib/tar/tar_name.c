/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tar_name: normalise names from archives, and check their length. */

#include "tar_name.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

/* linux/limits.h: PATH_MAX includes the NUL. */
enum { COMPONENT_LIMIT = NAME_MAX, PATH_LIMIT = PATH_MAX - 1 };

/* A file with such a name could be neither opened nor removed by that name. */
static int too_long(const char *raw, const char *what, struct err *e)
{
	(void)err_say(e, ENAMETOOLONG, raw, "%s is longer than %d bytes", what, PATH_LIMIT);
	err_why(e,
		"Linux accepts no longer path (PATH_MAX): no program could reach such a file by "
		"its name");
	err_try(e, "rebuild the image without it");
	return -ENAMETOOLONG;
}

int tar_name_fits(const char *raw, const char *what, const char *text, struct err *e)
{
	return strlen(text) > PATH_LIMIT ? too_long(raw, what, e) : 0;
}

/* Does nothing follow in a name but slashes and "." components? */
static bool is_last(const char *p)
{
	for (const char *end; *p; p = end) {
		end = p + strcspn(p, "/");
		if (end - p > 1 || (end - p == 1 && *p != '.'))
			return false;
		end += strspn(end, "/");
	}
	return true;
}

static int component_too_long(const char *raw, struct err *e)
{
	(void)err_say(e, ENAMETOOLONG, raw, "the name has a component of more than %d bytes",
		COMPONENT_LIMIT);
	err_why(e, "Linux accepts no longer name (NAME_MAX)");
	err_try(e, "rebuild the image without it");
	return -ENAMETOOLONG;
}

static int climbs(const char *raw, struct err *e)
{
	(void)err_say(e, EINVAL, raw, "the name has a component \"..\"");
	err_why(e, "such a name could lead out of the directory of the layer");
	err_try(e, "rebuild the image with names that do not have it");
	return -EINVAL;
}

int tar_name_marked(const char *raw, const char *mark, struct buf *ret, struct err *e)
{
	size_t begin = ret->len, free = 0, mark_len = strlen(mark);

	for (const char *p = raw, *end; *p; p = end) {
		size_t n;

		end = strchrnul(p, '/');
		n = (size_t)(end - p);
		if (*end)
			end++;
		if (n == 0 || (n == 1 && *p == '.'))
			continue;
		if (n == 2 && !memcmp(p, "..", 2))
			return climbs(raw, e);
		if (mark_len && n > mark_len && !memcmp(p, mark, mark_len) && is_last(end))
			free = mark_len;
		if (n > COMPONENT_LIMIT + free)
			return component_too_long(raw, e);
		if (ret->len > begin)
			buf_char(ret, '/');
		buf_add(ret, p, n);
		if (ret->len - begin > PATH_LIMIT + free)
			return too_long(raw, "the name", e);
	}
	return buf_get(ret) ? 0 : err_nomem(e);
}

int tar_name_normal(const char *raw, struct buf *ret, struct err *e)
{
	return tar_name_marked(raw, "", ret, e);
}
