/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* option_syntax: split a string of options, and remove the quotes from values. */

#include "option_syntax.h"

#include <errno.h>
#include <stdbool.h>

#include "../base/buf.h"

ssize_t option_length(const char *s, size_t *ret_name)
{
	bool quoted = false, in_name = true;
	size_t n;

	for (n = 0; s[n] && (quoted || s[n] != ','); n++) {
		if (s[n] == '\\' && s[n + 1])
			n++;
		else if (s[n] == '"')
			quoted = !quoted;
		else if (s[n] == '=' && in_name) {
			*ret_name = n;
			in_name = false;
		}
	}
	if (in_name)
		*ret_name = n;
	return quoted ? -EINVAL : (ssize_t)n;
}

static bool is_octal(const char *s, const char *end)
{
	if (end - s < 3 || s[0] > '3')
		return false;
	for (int i = 0; i < 3; i++)
		if (s[i] < '0' || s[i] > '7')
			return false;
	return true;
}

int option_unescape(
	const char *raw, size_t n, char stop, char **ret, size_t *ret_used, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	const char *p = raw, *end = raw + n;
	bool quoted = false;
	char c;

	for (; p < end && (quoted || !stop || *p != stop); p++) {
		if (*p == '"') {
			quoted = !quoted;
		} else if (*p == '\\' && is_octal(p + 1, end)) {
			c = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			if (!c)
				return err_usage_try(e,
					"omit it, or write two backslashes for one of a name",
					"a NUL byte cannot be part of a name");
			buf_char(&b, c);
			p += 3;
		} else if (*p == '\\') {
			if (++p == end)
				return err_usage_try(e, "write two backslashes for one of a name",
					"-o ends in a backslash");
			buf_char(&b, *p);
		} else {
			buf_char(&b, *p);
		}
	}
	if (ret_used)
		*ret_used = (size_t)(p - raw);
	if (!b.len)
		buf_str(&b, "");
	*ret = buf_take(&b);
	return *ret ? 0 : err_nomem(e);
}
