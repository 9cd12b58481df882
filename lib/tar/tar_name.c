/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tar_name: normalise names from archives, and check their length. */

#include "tar_name.h"

#include <errno.h>
#include <limits.h>
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

int tar_name_normal(const char *raw, struct buf *ret, struct err *e)
{
	size_t begin = ret->len;

	for (const char *p = raw, *end; *p; p = end) {
		size_t n;

		end = strchrnul(p, '/');
		n = (size_t)(end - p);
		if (*end)
			end++;
		if (n == 0 || (n == 1 && *p == '.'))
			continue;
		if (n == 2 && !memcmp(p, "..", 2))
			return err_say(e, EINVAL, raw, "the name has a component \"..\"");
		if (n > COMPONENT_LIMIT)
			return err_say(e, ENAMETOOLONG, raw,
				"the name has a component of more than %d bytes", COMPONENT_LIMIT);
		if (ret->len > begin)
			buf_char(ret, '/');
		buf_add(ret, p, n);
		if (ret->len - begin > PATH_LIMIT)
			return too_long(raw, "the name", e);
	}
	return buf_get(ret) ? 0 : err_nomem(e);
}
