/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "cleanup.h"

/*
 * A growing string of bytes. data is NUL-terminated whenever it is not NULL. A failed allocation
 * sets oom and makes every later call do nothing, so that a writer checks once, at the end.
 */
struct buf {
	char *data;
	size_t len, cap;
	bool oom;
};

#define BUF_INIT ((struct buf){ .data = NULL })

void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

/*
 * n bytes as a person may safely see them on a terminal: control characters (those that turn the
 * direction of text among them), backslash and bytes that are not valid UTF-8 appear as \n, \t, \\
 * or \xHH for each byte. For results (out_line); messages and errors are escaped where they are
 * printed.
 */
void buf_escaped(struct buf *b, const char *s, size_t n);

/* The string ("" when nothing was added; NULL after a failed allocation). It stays b's. */
const char *buf_get(const struct buf *b);

/* The string, given away: the caller frees it. NULL after a failed allocation. */
char *buf_take(struct buf *b);

/* Forget the content, keep the memory. */
void buf_reset(struct buf *b);

void buf_done(struct buf *b);

static inline void cleanup_buf(struct buf *b)
{
	buf_done(b);
}

#define scoped_buf __attribute__((cleanup(cleanup_buf)))

/* How many of the n bytes at s form one valid UTF-8 character (1 to 4), 0 when they do not. */
size_t utf8_len(const char *s, size_t n);

#endif
