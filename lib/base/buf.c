/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* buf: strings that grow, and text that is safe to print. */

#include "buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Make room for n more bytes and the final NUL. */
static bool reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 64;
	char *p;

	if (b->oom)
		return false;
	if (b->data && b->cap - b->len > n)
		return true;

	while (cap - b->len <= n) {
		if (cap > SIZE_MAX / 2)
			goto nomem;
		cap *= 2;
	}
	p = realloc(b->data, cap);
	if (!p)
		goto nomem;

	b->data = p;
	b->cap = cap;
	return true;
nomem:
	b->oom = true;
	return false;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!reserve(b, n))
		return;

	if (n)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->oom = true;
		return;
	}
	if (!reserve(b, (size_t)n))
		return;

	va_start(ap, fmt);
	(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap); /* measured above */
	va_end(ap);
	b->len += (size_t)n;
}

size_t utf8_len(const char *s, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = n ? (unsigned char)s[0] : 0;
	size_t len = c < 0x80         ? 1 :
		c >= 0xf0 && c < 0xf5 ? 4 :
		c >= 0xe0 && c < 0xf0 ? 3 :
		c >= 0xc2 && c < 0xe0 ? 2 :
					0;
	uint32_t v;

	if (len == 0 || len > n)
		return 0;
	if (len == 1)
		return 1;

	v = c & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return 0;
	return len;
}

/*
 * Is it a character of several bytes that a terminal interprets: a control character (U+0080 to
 * U+009F, c2 80 to c2 9f), or one that reorders the text around it (U+200E, U+200F, U+202A to
 * U+202E, U+2066 to U+2069)?
 */
static bool is_obeyed(const unsigned char *s, size_t len)
{
	if (len == 2)
		return s[0] == 0xc2 && s[1] < 0xa0;
	if (len != 3 || s[0] != 0xe2)
		return false;
	if (s[1] == 0x80)
		return s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xaa && s[2] <= 0xae);
	return s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9;
}

void buf_escaped(struct buf *b, const char *s, size_t n)
{
	while (n) {
		size_t len = utf8_len(s, n);
		unsigned char c = (unsigned char)s[0];

		if (len > 1 && !is_obeyed((const unsigned char *)s, len)) {
			buf_add(b, s, len);
			s += len;
			n -= len;
			continue;
		}
		if (c == '\n')
			buf_str(b, "\\n");
		else if (c == '\t')
			buf_str(b, "\\t");
		else if (c == '\\')
			buf_str(b, "\\\\");
		else if (c < 0x20 || c >= 0x7f)
			buf_printf(b, "\\x%02x", c);
		else
			buf_char(b, (char)c);
		s++;
		n--;
	}
}

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void buf_name(struct buf *b, const char *s)
{
	enum { WHOLE = 230, HALF = 110 };
	size_t len = strlen(s), head = HALF, tail = len - HALF;

	if (len <= WHOLE) {
		buf_add(b, s, len);
		return;
	}
	/* Characters stay whole; a character of UTF-8 has at most three bytes behind its first. */
	for (int i = 0; i < 3 && continues(s[head]); i++)
		head--;
	for (int i = 0; i < 3 && continues(s[tail]); i++)
		tail++;
	buf_add(b, s, head);
	buf_str(b, "...");
	buf_add(b, s + tail, len - tail);
}

void buf_shell_word(struct buf *b, const char *s)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=,@:%";

	if (*s && strspn(s, plain) == strlen(s)) {
		buf_str(b, s);
		return;
	}
	buf_char(b, '\'');
	for (; *s; s++)
		buf_str(b, *s == '\'' ? "'\"'\"'" : (const char[]){ *s, '\0' });
	buf_char(b, '\'');
}

const char *buf_get(const struct buf *b)
{
	return b->oom ? NULL : b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
	char *p;

	buf_add(b, "", 0);
	if (b->oom)
		return NULL;

	p = b->data;
	*b = BUF_INIT;
	return p;
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

void buf_done(struct buf *b)
{
	int saved = errno;

	free(b->data);
	*b = BUF_INIT;
	errno = saved;
}
