/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* map_lex: tokens of a map's text, with their position for error messages. */

#include "map_lex.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

bool word_is(const struct word *w, const char *s)
{
	return w->len == strlen(s) && !memcmp(w->s, s, w->len);
}

bool word_starts(const struct word *w, const char *s)
{
	size_t n = strlen(s);

	return w->len >= n && !memcmp(w->s, s, n);
}

struct word word_from(struct word w, size_t n)
{
	w.s += n;
	w.len -= n;
	if (!w.at.file)
		w.at.pos += n;
	return w;
}

struct word word_until(struct word *rest, char sep, bool *ret_more)
{
	const char *p = memchr(rest->s, sep, rest->len);
	struct word w = *rest;

	*ret_more = p != NULL;
	if (p)
		w.len = (size_t)(p - rest->s);
	*rest = word_from(*rest, w.len + (p ? 1 : 0));
	return w;
}

size_t word_split(struct word w, char sep, struct word *fields, size_t max)
{
	bool more = true;
	size_t n = 0;

	while (more && n + 1 < max)
		fields[n++] = word_until(&w, sep, &more);
	if (more)
		fields[n++] = w;
	return n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct word word_column(struct word *line)
{
	struct word w;

	while (line->len && is_blank(line->s[0]))
		*line = word_from(*line, 1);
	w = *line;
	w.len = 0;
	while (w.len < line->len && !is_blank(line->s[w.len]))
		w.len++;
	*line = word_from(*line, w.len);
	return w;
}

int word_fault(struct err *e, int num, const struct word *w, const char *fmt, ...)
{
	char text[512], on[512];
	size_t n = w->len < sizeof(on) ? w->len : sizeof(on) - 1;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut at worst */
	va_end(ap);
	if (n)
		memcpy(on, w->s, n);
	on[n] = '\0';

	if (w->at.file)
		(void)err_say(e, num, on, "%s (line %zu of %s)", text, w->at.pos, w->at.file);
	else if (w->at.pos != SIZE_MAX)
		(void)err_say(e, num, on, "%s (byte %zu of the map)", text, w->at.pos);
	else
		(void)err_say(e, num, on, "%s", text);
	err_op(e, "map");
	return -num;
}
