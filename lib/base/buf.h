/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "cleanup.h"

/*
 * A string of bytes that grows. data is NUL-terminated unless it is NULL. A failed allocation sets
 * oom and makes all later calls do nothing, so that the user checks once, at the end.
 */
struct buf {
	char *data;
	size_t len, cap;
	bool oom;
};

#define BUF_INIT ((struct buf){ .data = NULL })

/* Append n bytes, a string, a character, or a text in the format of printf(3). */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

/*
 * Append n bytes in a form that is safe to print on a terminal: control characters (and those that
 * change the direction of text), backslashes and bytes that are not valid UTF-8 become escapes:
 * \n, \t, two backslashes, or \xHH for each byte. For results (out_line()); messages and errors are
 * escaped when they are printed.
 */
void buf_escaped(struct buf *b, const char *s, size_t n);

/*
 * Append a name for a message, which is still to be escaped: if it has more than 230 bytes, "..."
 * replaces its middle, so that the reader gets to what the message says about it.
 */
void buf_name(struct buf *b, const char *s);

/*
 * Append s as one word of a shell's command line, in single quotes if it has more than letters,
 * digits and some signs.
 */
void buf_shell_word(struct buf *b, const char *s);

/* Return the string, which b owns: "" if it is empty, NULL after a failed allocation. */
const char *buf_get(const struct buf *b);

/* Return the string, which the caller frees; b becomes empty. NULL after a failed allocation. */
char *buf_take(struct buf *b);

/* Make the buffer empty, and keep its memory. */
void buf_reset(struct buf *b);

void buf_done(struct buf *b);

static inline void cleanup_buf(struct buf *b)
{
	buf_done(b);
}

#define scoped_buf __attribute__((cleanup(cleanup_buf)))

/*
 * Return the length (1 to 4) of the valid UTF-8 character that the n bytes at s begin with, or 0 if
 * they begin with none.
 */
size_t utf8_len(const char *s, size_t n);

#endif
