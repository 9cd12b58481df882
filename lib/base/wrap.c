/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wrap: break texts into lines. */

#include "wrap.h"

#include <string.h>

enum { BRACKETS_MAX = 60 };

size_t wrap_columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

size_t wrap_cut(const char *text, size_t n, size_t max)
{
	size_t i = 0, columns = 0;

	for (; i < n; i++) {
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
		if (columns > max)
			break;
	}
	return i;
}

size_t wrap_longest(const char *text)
{
	size_t longest = 0, n = 0;

	for (; *text; text++) {
		n = *text == ' ' ? 0 : n + (((unsigned char)*text & 0xc0) != 0x80);
		longest = n > longest ? n : longest;
	}
	return longest;
}

/* The length of a colour, ESC [ ... m, at the beginning of text; 0: there is none. */
static size_t colour_length(const char *text)
{
	size_t n = text[0] == '\033' && text[1] == '[' ? strcspn(text, "m") : 0;

	return n && text[n] ? n + 1 : 0;
}

static size_t word_columns(const char *w, size_t n)
{
	size_t columns = 0;

	for (size_t i = 0; i < n; i++) {
		size_t colour = colour_length(w + i);

		if (colour)
			i += colour - 1;
		else
			columns += ((unsigned char)w[i] & 0xc0) != 0x80;
	}
	return columns;
}

/* The length of the first word of text, in bytes. */
static size_t word_length(const char *text, size_t most)
{
	size_t n = 0, depth = 0;

	for (; text[n] && (depth || text[n] != ' '); n++) {
		size_t colour = colour_length(text + n);

		if (colour) {
			n += colour - 1;
			continue;
		}
		depth += text[n] == '[';
		depth -= text[n] == ']' && depth;
	}
	return n <= most ? n : strcspn(text, " ");
}

void wrap_text(struct buf *b, const char *text, const struct wrap *how)
{
	size_t at = how->at, most = BRACKETS_MAX;

	if (!how->width) {
		buf_str(b, text);
		return;
	}
	if (how->width < how->indent + BRACKETS_MAX)
		most = how->width > how->indent ? how->width - how->indent : 1;
	for (const char *w = text; *w;) {
		size_t n = word_length(w, most), columns = word_columns(w, n);

		if (at + (w != text) + columns > how->width && (w != text || at > how->indent)) {
			buf_printf(b, "\n%*s", (int)how->indent, "");
			at = how->indent;
		} else if (w != text) {
			buf_char(b, ' ');
			at++;
		}
		buf_add(b, w, n);
		at += columns;
		w += n;
		w += strspn(w, " ");
	}
}
