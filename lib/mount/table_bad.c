/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* table_bad: say what is wrong with a line of an fstab that libmount cannot parse. */

#include "table_bad.h"

#include <stdio.h>
#include <string.h>

#include "../base/cleanup.h"
#include "table_type.h"

enum { FIELDS_MAX = 16, SHOWN_MAX = 48 };

struct line_field {
	const char *text;
	size_t len;
};

/* Fields end at blanks and tabs, and a line may end with a carriage return. */
static size_t split(const char *text, size_t len, struct line_field ret[FIELDS_MAX])
{
	size_t n = 0, i = 0;

	if (len && text[len - 1] == '\r')
		len--;
	while (n < FIELDS_MAX) {
		size_t start;

		while (i < len && (text[i] == ' ' || text[i] == '\t'))
			i++;
		if (i == len)
			break;
		start = i;
		while (i < len && text[i] != ' ' && text[i] != '\t')
			i++;
		ret[n++] = (struct line_field){ text + start, i - start };
	}
	return n;
}

/* mnt_parse_table_line() of libmount reads a 32-bit number with a sign. */
static bool is_number(const struct line_field *f)
{
	size_t i = f->len && (f->text[0] == '-' || f->text[0] == '+');
	size_t digits = f->len - i;

	for (; i < f->len; i++)
		if (f->text[i] < '0' || f->text[i] > '9')
			return false;
	return digits > 0 && digits < 10;
}

static bool ends_in_comma(const struct line_field *f)
{
	return f->len && f->text[f->len - 1] == ',';
}

/* A blank in a name or a map moves the type to another field, so that all fields count. */
static bool is_own(const struct line_field *fields, size_t n)
{
	static const char idmap[] = "X-mount.idmap=";

	for (size_t i = 1; i < n && fields[i].text[0] != '#'; i++) {
		scoped_free char *word = strndup(fields[i].text, fields[i].len);

		if (word && (table_type_is_own(word) || strstr(word, idmap)))
			return true;
	}
	return false;
}

/* What to write in place of field i of n, where a number belongs. */
static const char *hint(const struct line_field *f, size_t n, size_t i)
{
	const struct line_field *own = &f[i];
	bool word = own->len && strspn(own->text, "abcdefghijklmnopqrstuvwxyz") >= own->len;
	scoped_free char *type = strndup(f[2].text, f[2].len);

	if (ends_in_comma(&f[i - 1]))
		return "write no blank after a comma";
	if (!type || !table_type_is_own(type)) /* a blank in a name has moved it */
		return "write a backslash with 040 for a blank in a name, and ; for one in a map";
	if (word && i + 1 < n && is_number(&f[i + 1]))
		return "separate options with commas, without a blank, and end the line with 0 0";
	if (memchr(own->text, '=', own->len))
		return "separate options with commas, without a blank";
	return "write ; for a blank in a map, and a backslash with 040 for one in a name";
}

void table_bad_line(const char *text, size_t len, struct table_bad *ret)
{
	static const char *const names[] = { "fifth", "sixth" };
	struct line_field f[FIELDS_MAX];
	size_t n = text ? split(text, len, f) : 0;

	*ret = (struct table_bad){ .own = is_own(f, n) };
	(void)snprintf(ret->why, sizeof(ret->why), "libmount cannot parse it");
	if (!text)
		return;
	if (memchr(text, '\0', len)) {
		(void)snprintf(ret->why, sizeof(ret->why),
			"it has a NUL byte, so it is not plain text (UTF-16?)");
		return;
	}
	if (n < 3) {
		(void)snprintf(ret->why, sizeof(ret->why),
			"a line has at least 3 fields, SOURCE TARGET TYPE, and this one has %zu",
			n);
		return;
	}
	for (size_t i = 4; i < n && i < 4 + ARRAY_LEN(names); i++) {
		bool remark = f[i].text[0] == '#';

		if (is_number(&f[i]))
			continue;
		(void)snprintf(ret->why, sizeof(ret->why),
			"the %s field, '%.*s', is not a number: %s", names[i - 4],
			f[i].len < SHOWN_MAX ? (int)f[i].len : SHOWN_MAX, f[i].text,
			remark ? "a remark needs a line of its own" : "a blank ends a field");
		ret->hint = remark ? NULL : hint(f, n, i);
		return;
	}
}
