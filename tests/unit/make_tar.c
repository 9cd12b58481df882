/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tar archives of any form, valid or not, for tests. */

#include "make_tar.h"

#include <string.h>

#include "test.h"

static void octal(char *p, size_t n, uint64_t v)
{
	for (size_t i = n - 1; i-- > 0; v >>= 3)
		p[i] = (char)('0' + (v & 7));
}

static void pad(struct buf *b)
{
	static const char zero[512];

	buf_add(b, zero, (512 - b->len % 512) % 512);
}

static void header(struct buf *b, const struct tar_entry *t, size_t size)
{
	char h[512] = { 0 };
	unsigned sum = 0;

	memcpy(h, t->name, strnlen(t->name, 100));
	octal(h + 100, 8, t->mode ? t->mode : 0644);
	octal(h + 108, 8, t->uid);
	octal(h + 116, 8, t->gid);
	octal(h + 124, 12, size);
	octal(h + 136, 12, t->mtime);
	memset(h + 148, ' ', 8);
	h[156] = t->type ? t->type : '0';
	if (t->link)
		memcpy(h + 157, t->link, strnlen(t->link, 100));
	memcpy(h + 257, "ustar\00000", 8);
	octal(h + 329, 8, t->major);
	octal(h + 337, 8, t->minor);
	if (t->patch.bytes)
		memcpy(h + t->patch.at, t->patch.bytes, t->patch.n);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	octal(h + 148, 7, sum + t->bad_sum);
	buf_add(b, h, sizeof(h));
}

static void extended(struct buf *b, const char *body, size_t n)
{
	header(b, &(struct tar_entry){ .name = "pax", .type = 'x' }, n);
	buf_add(b, body, n);
	pad(b);
}

void tar_add(struct buf *b, const struct tar_entry *t)
{
	size_t size = t->size ? t->size : t->data ? strlen(t->data) : 0;
	scoped_buf struct buf x = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(t->pax) && t->pax[i]; i++) {
		size_t n = strlen(t->pax[i]) +
			3; /* with a blank, a newline, and a length of one digit */

		n += n >= 10;
		n += n >= 100;
		buf_printf(&x, "%zu %s\n", n, t->pax[i]);
	}
	if (t->raw_pax)
		buf_str(&x, t->raw_pax);
	if (x.len)
		extended(b, x.data, x.len);
	header(b, t, size);
	if (t->data)
		buf_add(b, t->data, size);
	pad(b);
}

struct buf tar_make(const struct tar_entry *list)
{
	static const char zero[1024];
	struct buf b = BUF_INIT;

	for (; list->name; list++)
		tar_add(&b, list);
	buf_add(&b, zero, sizeof(zero));
	REQUIRE(buf_get(&b));
	return b;
}

ssize_t tar_stream_read(void *arg, const void **ret, struct err *e)
{
	struct tar_stream *s = arg;
	size_t n = s->b->len - s->at;

	if (n == 0 && s->fail)
		return err_set(e, s->fail, "the stream", "cannot read");
	if (s->piece && n > s->piece)
		n = s->piece;
	*ret = s->b->data + s->at;
	s->at += n;
	return (ssize_t)n;
}
