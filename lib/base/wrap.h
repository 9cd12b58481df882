/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_WRAP_H
#define BASE_WRAP_H

#include <stddef.h>

#include "buf.h"

/* Columns: each character of UTF-8 counts as one. In wrap_text(), a colour counts as none. */

/* Return the number of columns of a text. */
size_t wrap_columns(const char *text);

/* Return how many of the first n bytes of text have at most max columns: whole characters. */
size_t wrap_cut(const char *text, size_t n, size_t max);

/* Return the number of columns of the longest word of a text. */
size_t wrap_longest(const char *text);

/* Where a text is printed. */
struct wrap {
	size_t at;     /* the column at which it begins */
	size_t indent; /* the column at which its further lines begin */
	size_t width;  /* columns of a line; 0: any number, so that nothing is broken */
};

/*
 * Append text to b, broken between words such that no line has more than the width, without a
 * newline at the end. A word that is too long alone stays whole: a terminal breaks it without
 * adding anything, so that it can be copied. What is between brackets is one word if it is short.
 * Blanks between words become one.
 */
void wrap_text(struct buf *b, const char *text, const struct wrap *how);

#endif
