/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tar_split: the headers and padding of an archive, and the checksums of its files. */

#include "tar_split.h"

#include <endian.h>
#include <errno.h>
#include <nettle/base64.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/json.h"
#include "crc64.h"
#include "name_set.h"
#include "tar_check.h"
#include "tar_name.h"
#include "whiteout.h"

enum {
	PIECE_MAX = 1 << 20, /* of the archive, in one line; as Go's tar-split cuts the end */
	OUT_SIZE = 64 << 10,
	GZIP = MAX_WBITS + 16, /* deflateInit2(): the largest window, and a gzip header */
	MEMORY = 8,            /* its default */
};

struct tar_split {
	int fd;
	struct tar_check *check;
	const char *why; /* nothing more is written: tar_split_end() */
	z_stream z;
	bool z_open;
	unsigned char out[OUT_SIZE];

	uint64_t pos;            /* offset of the next byte to be taken */
	const unsigned char *at; /* that byte, during tar_split_feed() */
	struct buf piece;        /* bytes of the archive that are not written yet */
	struct buf name;         /* of the file whose body is being read */
	uint64_t size, left;     /* of that body */
	uint64_t crc;
	struct name_set names;
	struct buf line, text;
	int64_t position;
};

/* ---- output ---- */

static int deflate_all(struct tar_split *t, const void *p, size_t n, int flush, struct err *e)
{
	int r;

	t->z.next_in = (unsigned char *)(uintptr_t)p; /* it is only read */
	t->z.avail_in = (unsigned)n;                  /* a line is shorter than 2 GiB */
	do {
		t->z.next_out = t->out;
		t->z.avail_out = OUT_SIZE;
		(void)deflate(&t->z, flush); /* fails for a wrong state or flush alone */
		r = fd_write_all(t->fd, t->out, OUT_SIZE - t->z.avail_out);
		if (r < 0)
			return err_set(e, -r, NULL, "cannot write what podman needs of the layer");
	} while (t->z.avail_out == 0);
	return 0;
}

/* Set t->text to the bytes in base64. */
static int encode(struct tar_split *t, const void *p, size_t n, struct err *e)
{
	scoped_free char *out = malloc(BASE64_ENCODE_RAW_LENGTH(n) + 1);

	if (!out)
		return err_nomem(e);
	base64_encode_raw(out, n, p);
	buf_reset(&t->text);
	buf_add(&t->text, out, BASE64_ENCODE_RAW_LENGTH(n));
	return buf_get(&t->text) ? 0 : err_nomem(e);
}

static int put_line(struct tar_split *t, struct json_writer *w, struct err *e)
{
	int r;

	json_write_i64(w, "position", t->position++);
	json_write_end(w);
	buf_reset(&t->line);
	r = json_writer_print(w, JSON_LINE, &t->line);
	buf_char(&t->line, '\n');
	if (r < 0 || !buf_get(&t->line))
		return err_nomem(e);
	return deflate_all(t, t->line.data, t->line.len, Z_NO_FLUSH, e);
}

static int put_piece(struct tar_split *t, struct err *e)
{
	struct json_writer w = { .depth = 0 };
	int r = 0;

	for (size_t at = 0; r == 0 && at < t->piece.len; at += PIECE_MAX) {
		size_t n = t->piece.len - at < PIECE_MAX ? t->piece.len - at : PIECE_MAX;

		r = encode(t, t->piece.data + at, n, e);
		if (r < 0)
			break;
		json_write_object(&w, NULL);
		json_write_i64(&w, "type", 2);
		json_write_strn(&w, "payload", t->text.data, t->text.len);
		r = put_line(t, &w, e);
	}
	buf_reset(&t->piece);
	return r;
}

static bool is_utf8(const char *s, size_t n)
{
	for (size_t i = 0, k; i < n; i += k) {
		k = utf8_len(s + i, n - i);
		if (!k)
			return false;
	}
	return true;
}

static int put_name(struct tar_split *t, struct json_writer *w, struct err *e)
{
	int r = 0;

	if (is_utf8(t->name.data, t->name.len)) {
		json_write_strn(w, "name", t->name.data, t->name.len);
		return 0;
	}
	r = encode(t, t->name.data, t->name.len, e);
	if (r == 0)
		json_write_strn(w, "name_raw", t->text.data, t->text.len);
	return r;
}

/* The line of the file in t->name, whose body has ended. */
static int put_file(struct tar_split *t, struct err *e)
{
	const uint64_t crc = htobe64(t->crc);
	struct json_writer w = { .depth = 0 };
	int r;

	json_write_object(&w, NULL);
	json_write_i64(&w, "type", 1);
	r = put_name(t, &w, e);
	if (r == 0 && t->size)
		r = encode(t, &crc, sizeof(crc), e);
	if (r < 0) {
		json_writer_done(&w);
		return r;
	}
	if (t->size) {
		json_write_i64(&w, "size", (int64_t)t->size);
		json_write_strn(&w, "payload", t->text.data, t->text.len);
	}
	return put_line(t, &w, e);
}

/* ---- input ---- */

/* Take the bytes up to this offset in the archive. */
static int take(struct tar_split *t, uint64_t end, struct err *e)
{
	int r = 0;

	while (r == 0 && t->pos < end) {
		uint64_t n = end - t->pos;

		if (t->left) {
			n = n < t->left ? n : t->left;
			t->crc = crc64_iso(t->crc, t->at, (size_t)n);
			t->left -= n;
			r = t->left ? 0 : put_file(t, e);
		} else {
			buf_add(&t->piece, t->at, (size_t)n);
			if (t->piece.oom)
				r = err_nomem(e);
			else if (t->piece.len >= PIECE_MAX)
				r = put_piece(t, e);
		}
		t->at += n;
		t->pos += n;
	}
	return r;
}

/* Is the body of the entry the content of the file t->name in the layer's directory? */
static bool is_content(const struct tar_split *t, const struct tar_check_entry *en)
{
	const char *slash = t->name.len ? strrchr(t->name.data, '/') : NULL;
	const char *base = slash ? slash + 1 : buf_get(&t->name);

	return !en->sparse && t->name.len && en->name[en->name_len - 1] != '/' &&
		strncmp(base, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) != 0;
}

/* This is a tar_check_seen. */
static int add_entry(void *arg, const struct tar_check_entry *en, struct err *e)
{
	struct tar_split *t = arg;
	bool is_new;
	int r = take(t, en->fact.body, e);

	if (r == 0)
		r = put_piece(t, e);
	if (r < 0 || t->why)
		return r;
	buf_reset(&t->name);
	if (tar_name_normal(en->name, &t->name, NULL) < 0 || !buf_get(&t->name)) {
		t->why = "the name of an entry is not valid";
		return -EBADMSG; /* the reader of the layer says more */
	}
	r = name_set_add(&t->names, t->name.data ? t->name.data : "", t->name.len, &is_new, e);
	if (r < 0)
		return r;
	if (!is_new) {
		t->why = "two entries of its archive have the same name, which podman refuses";
		return 0;
	}
	if (!t->name.len)
		buf_char(&t->name, '.');
	t->size = is_content(t, en) ? en->fact.size : 0;
	t->left = t->size;
	t->crc = 0;
	return t->left ? 0 : put_file(t, e);
}

int tar_split_new(int fd, struct tar_split **ret, struct err *e)
{
	struct tar_split *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return err_nomem(e);
	t->fd = fd;
	t->z_open = deflateInit2(&t->z, Z_BEST_SPEED, Z_DEFLATED, GZIP, MEMORY,
			    Z_DEFAULT_STRATEGY) == Z_OK;
	r = t->z_open ? tar_check_new(NULL, t, &t->check, e) : err_nomem(e);
	if (r < 0) {
		tar_split_free(t);
		return r;
	}
	tar_check_watch(t->check, add_entry);

	*ret = t;
	return 0;
}

int tar_split_feed(struct tar_split *t, const void *p, size_t n, struct err *e)
{
	struct err own = ERR_INIT;
	int r;

	if (t->why)
		return 0;
	t->at = p;
	r = tar_check_feed(t->check, p, n, &own);
	if (r == 0 && !t->why)
		r = take(t, t->pos + n - (size_t)(t->at - (const unsigned char *)p), &own);
	if (r == -EBADMSG) {
		t->why = "its archive is damaged";
		return 0;
	}
	if (r < 0 && e)
		*e = own;
	return r;
}

int tar_split_end(struct tar_split *t, const char **ret_why, struct err *e)
{
	int r = 0;

	if (!t->why && t->left)
		t->why = "its archive is cut off";
	if (!t->why)
		r = put_piece(t, e);
	if (r == 0 && !t->why)
		r = deflate_all(t, NULL, 0, Z_FINISH, e);
	*ret_why = t->why;
	return r;
}

void tar_split_free(struct tar_split *t)
{
	if (!t)
		return;
	if (t->z_open)
		(void)deflateEnd(&t->z); /* reports unfinished output, which is of no use */
	tar_check_free(t->check);
	name_set_done(&t->names);
	buf_done(&t->piece);
	buf_done(&t->name);
	buf_done(&t->line);
	buf_done(&t->text);
	free(t);
}
