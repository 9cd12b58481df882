/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tar_split: the headers and padding of an archive, and the checksums of its files. */

#include "tar_split.h"

#include <endian.h>
#include <errno.h>
#include <nettle/base64.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/json.h"
#include "crc64.h"
#include "gzip.h"
#include "name_set.h"
#include "tar_check.h"
#include "tar_name.h"
#include "whiteout.h"

enum {
	PIECE_MAX = 1 << 20,   /* of the archive, in one line; as Go's tar-split cuts the end */
	LINES_MAX = 64 << 10,  /* bytes that are compressed at once */
	BASE64_STEP = 3 << 10, /* bytes, three of which become four letters */
};

struct tar_split {
	struct tar_check *check;
	const char *why; /* nothing more is written: tar_split_end() */
	struct gzip *gzip;

	uint64_t pos;            /* offset of the next byte to be taken */
	const unsigned char *at; /* that byte, during tar_split_feed() */
	struct buf piece;        /* bytes of the archive that are not written yet */
	struct buf name;         /* of the file whose body is being read */
	uint64_t size, left;     /* of that body */
	uint64_t crc;
	struct name_set names;
	struct buf lines; /* that are not compressed yet */
	uint64_t position;
};

/* ---- output ---- */

/*
 * There are two lines for each entry. Their keys, numbers and base64 need no escapes and are put
 * into the buffer as they are; only a name that needs them goes through the writer of JSON.
 */

static int write_lines(struct tar_split *t, bool end, struct err *e)
{
	int r;

	if (t->lines.oom)
		return err_nomem(e);
	r = gzip_add(t->gzip, buf_get(&t->lines), t->lines.len);
	if (r == 0 && end)
		r = gzip_end(t->gzip);
	buf_reset(&t->lines);
	return r < 0 ? err_set(e, -r, NULL, "cannot write what podman needs of the layer") : 0;
}

static void add_number(struct buf *b, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + n % 10);
	while (n /= 10);
	buf_add(b, digits + i, sizeof(digits) - i);
}

static void add_base64(struct buf *b, const void *p, size_t n)
{
	const unsigned char *s = p;
	char out[BASE64_ENCODE_RAW_LENGTH(BASE64_STEP)];

	for (size_t k; n > 0; n -= k, s += k) {
		k = n < BASE64_STEP ? n : BASE64_STEP;
		base64_encode_raw(out, k, s);
		buf_add(b, out, BASE64_ENCODE_RAW_LENGTH(k));
	}
}

static int end_line(struct tar_split *t, struct err *e)
{
	buf_str(&t->lines, ",\"position\":");
	add_number(&t->lines, t->position++);
	buf_str(&t->lines, "}\n");
	return t->lines.oom || t->lines.len >= LINES_MAX ? write_lines(t, false, e) : 0;
}

static int put_piece(struct tar_split *t, struct err *e)
{
	int r = 0;

	for (size_t at = 0; r == 0 && at < t->piece.len; at += PIECE_MAX) {
		size_t n = t->piece.len - at < PIECE_MAX ? t->piece.len - at : PIECE_MAX;

		buf_str(&t->lines, "{\"type\":2,\"payload\":\"");
		add_base64(&t->lines, t->piece.data + at, n);
		buf_char(&t->lines, '"');
		r = end_line(t, e);
	}
	buf_reset(&t->piece);
	return r;
}

/* Is the text UTF-8, and does it need no escapes in JSON? */
static bool is_plain(const char *s, size_t n, bool *ret_utf8)
{
	bool plain = true;

	*ret_utf8 = true;
	for (size_t i = 0, k; i < n; i += k) {
		const unsigned char c = (unsigned char)s[i];

		k = c < 0x80 ? 1 : utf8_len(s + i, n - i);
		plain &= c >= ' ' && c != '"' && c != '\\';
		if (k)
			continue;
		*ret_utf8 = false;
		return false;
	}
	return plain;
}

/* The member of an object that has no other, without the object's braces. */
static int add_escaped(struct buf *b, const char *s, size_t n, struct err *e)
{
	scoped_buf struct buf object = BUF_INIT;
	struct json_writer w = { .depth = 0 };

	json_write_object(&w, NULL);
	json_write_strn(&w, "name", s, n);
	json_write_end(&w);
	if (json_writer_print(&w, JSON_LINE, &object) < 0)
		return err_nomem(e);
	buf_add(b, object.data + 1, object.len - 2);
	return 0;
}

static int add_name(struct tar_split *t, struct err *e)
{
	struct buf *b = &t->lines;
	bool utf8;

	buf_char(b, ',');
	if (is_plain(t->name.data, t->name.len, &utf8)) {
		buf_str(b, "\"name\":\"");
		buf_add(b, t->name.data, t->name.len);
		buf_char(b, '"');
	} else if (utf8) {
		return add_escaped(b, t->name.data, t->name.len, e);
	} else {
		buf_str(b, "\"name_raw\":\"");
		add_base64(b, t->name.data, t->name.len);
		buf_char(b, '"');
	}
	return 0;
}

/* The line of the file in t->name, whose body has ended. */
static int put_file(struct tar_split *t, struct err *e)
{
	const uint64_t crc = htobe64(t->crc);
	int r;

	buf_str(&t->lines, "{\"type\":1");
	r = add_name(t, e);
	if (r < 0)
		return r;
	if (t->size) {
		buf_str(&t->lines, ",\"size\":");
		add_number(&t->lines, t->size);
		buf_str(&t->lines, ",\"payload\":\"");
		add_base64(&t->lines, &crc, sizeof(crc));
		buf_char(&t->lines, '"');
	}
	return end_line(t, e);
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
			t->crc = crc64_iso_all[0](t->crc, t->at, (size_t)n);
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

	return !en->sparse && t->name.len && en->name_len && en->name[en->name_len - 1] != '/' &&
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
	t->gzip = gzip_new(gzip_all[0], fd);
	r = t->gzip ? tar_check_new(NULL, t, &t->check, e) : err_nomem(e);
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
		r = write_lines(t, true, e);
	*ret_why = t->why;
	return r;
}

void tar_split_free(struct tar_split *t)
{
	if (!t)
		return;
	gzip_free(t->gzip);
	tar_check_free(t->check);
	name_set_done(&t->names);
	buf_done(&t->piece);
	buf_done(&t->name);
	buf_done(&t->lines);
	free(t);
}
