/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_MAP_LEX_H
#define IDMAP_MAP_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"

/* Tokens of a map's text, with their position for error messages. Private to lib/idmap. */
struct word_place {
	const char *file; /* NULL: the text is not a file's */
	size_t pos;       /* the line in file, or the byte offset in the map's text */
};

/* The place of something that was not read from a text. */
#define PLACE_NONE ((struct word_place){ .pos = SIZE_MAX })

/* A part of a text, which is not terminated and valid as long as the text. */
struct word {
	const char *s;
	size_t len;
	struct word_place at;
};

/* Is the word s, or does it begin with s? */
bool word_is(const struct word *w, const char *s);
bool word_starts(const struct word *w, const char *s);

/* Returns the word without its first n bytes. */
struct word word_from(struct word w, size_t n);

/*
 * Cut off and return the text before the next sep. *rest becomes the text after sep, and *ret_more
 * whether there was a sep.
 */
struct word word_until(struct word *rest, char sep, bool *ret_more);

/*
 * Split at each sep into at most max fields; the last one keeps the rest. Returns the number of
 * fields.
 */
size_t word_split(struct word w, char sep, struct word *fields, size_t max);

/*
 * Cut off and return the next column of a line; blanks and tabs separate columns. The word is empty
 * after the last one.
 */
struct word word_column(struct word *line);

/* Describe an error in the word, with its place: "... (byte 4 of the map)". Returns -num. */
int word_fault(struct err *e, int num, const struct word *w, const char *fmt, ...) PRINTF(4, 5);

#endif
