/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* out: print results as text or as JSON. */

#include "out.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include <nettle/base64.h>

#include "buf.h"
#include "err.h"
#include "fd.h"
#include "json.h"
#include "term.h"
#include "vec.h"
#include "wrap.h"

enum { FLUSH_AT = 1 << 16, LAST_COLUMN_MIN = 24 };

struct cell {
	char *text;
	size_t width;
};

struct out {
	int fd;
	size_t width; /* of the terminal; 0: fd is another file */
	void (*closed)(void);
	bool json, color;
	size_t indent;  /* of out_indent() */
	bool no_memory; /* an allocation failed, so the rows are incomplete */
	int num;        /* the first error, a positive errno */
	struct buf text;
	struct json_writer w;
	size_t depth; /* of open objects and arrays, for text */
	const struct out_col *cols;
	size_t n_cols;
	VEC(struct cell) cells; /* rows x n_cols */
};

struct out *out_new(int fd, bool json, bool color)
{
	struct out *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->fd = fd;
	o->width = json ? 0 : term_columns(fd);
	o->json = json;
	o->color = color;
	return o;
}

void out_on_closed(struct out *o, void (*closed)(void))
{
	o->closed = closed;
}

bool out_json(const struct out *o)
{
	return o->json;
}

bool out_color(const struct out *o)
{
	return o->color;
}

static void write_text(struct out *o)
{
	int r = 0;

	if (!buf_get(&o->text))
		r = -ENOMEM;
	else if (o->text.len)
		r = fd_write_all(o->fd, o->text.data, o->text.len);
	if (r < 0 && !o->num)
		o->num = -r;
	if (r == -EPIPE && o->closed)
		o->closed();
	buf_reset(&o->text);
}

int out_flush(struct out *o)
{
	write_text(o);
	return -o->num;
}

static void maybe_write(struct out *o)
{
	if (o->text.len >= FLUSH_AT || o->json)
		write_text(o);
}

void out_free(struct out *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->cells.len; i++)
		free(o->cells.items[i].text);
	VEC_DONE(&o->cells);
	json_writer_done(&o->w);
	buf_done(&o->text);
	free(o);
}

/* --- JSON ----------------------------------------------------------------------------------- */

static void no_memory(struct out *o)
{
	o->no_memory = true;
	if (!o->num)
		o->num = ENOMEM;
}

static void json_close(struct out *o)
{
	json_write_end(&o->w);
	if (o->w.depth)
		return;
	/* An incomplete record is not printed. */
	if (o->no_memory)
		json_writer_done(&o->w);
	else if (json_writer_print(&o->w, JSON_ASCII, &o->text) < 0)
		no_memory(o);
	else
		buf_char(&o->text, '\n');
	maybe_write(o);
}

/* Append the bytes as UTF-8, with U+FFFD for invalid ones. Returns whether all were valid. */
static bool to_utf8(struct buf *b, const char *s, size_t n)
{
	bool clean = true;

	while (n) {
		size_t len = utf8_len(s, n);

		if (!len || (len == 1 && !*s)) {
			buf_str(b, "\xef\xbf\xbd");
			clean = false;
			len = 1;
		} else {
			buf_add(b, s, len);
		}
		s += len;
		n -= len;
	}
	return clean;
}

static void json_bytes(struct out *o, const char *key, const char *s, size_t n)
{
	scoped_buf struct buf b = BUF_INIT;
	scoped_free char *b64 = NULL;
	char key64[64];

	bool clean = to_utf8(&b, s, n);

	if (!buf_get(&b)) {
		no_memory(o);
		return;
	}
	json_write_strn(&o->w, key, buf_get(&b), b.len);
	if (clean || json_writer_in_array(&o->w))
		return; /* members of an array have no key: callers use objects for paths */
	b64 = malloc(BASE64_ENCODE_RAW_LENGTH(n) + 1);
	if (!b64) {
		no_memory(o);
		return;
	}
	base64_encode_raw(b64, n, (const uint8_t *)s);
	(void)snprintf(key64, sizeof(key64), "%s_base64", key); /* fits: keys are constants */
	json_write_strn(&o->w, key64, b64, BASE64_ENCODE_RAW_LENGTH(n));
}

/* --- text ----------------------------------------------------------------------------------- */

static void text_cell(struct out *o, const char *key, const char *s, size_t n)
{
	scoped_buf struct buf b = BUF_INIT;
	size_t row;

	if (o->depth != 1 || !o->cells.len || o->no_memory)
		return;
	row = o->cells.len - o->n_cols;
	for (size_t i = 0; i < o->n_cols; i++) {
		struct cell *c = &o->cells.items[row + i];

		if (!key || strcmp(o->cols[i].key, key))
			continue;
		free(c->text);
		buf_escaped(&b, s, n);
		c->text = buf_take(&b);
		c->width = c->text ? wrap_columns(c->text) : 0;
		if (!c->text)
			no_memory(o);
	}
}

static void pad(struct out *o, size_t n)
{
	while (n--)
		buf_char(&o->text, ' ');
}

static void text_row(struct out *o, const char *const *texts, const size_t *widths)
{
	size_t at = 0;

	for (size_t i = 0; i < o->n_cols; i++) {
		const char *s = texts[i] ? texts[i] : "";
		size_t gap = widths[i] - wrap_columns(s);

		if (o->cols[i].right)
			pad(o, gap);
		if (i + 1 == o->n_cols)
			wrap_text(&o->text, s, &(struct wrap){ at, at, o->width });
		else
			buf_str(&o->text, s);
		at += widths[i] + 2;
		if (i + 1 < o->n_cols)
			pad(o, (o->cols[i].right ? 0 : gap) + 2);
	}
	while (o->text.len && o->text.data[o->text.len - 1] == ' ')
		o->text.len--; /* empty cells at the end */
	buf_char(&o->text, '\n');
	maybe_write(o);
}

void out_table(struct out *o, const struct out_col *cols, size_t n)
{
	o->cols = cols;
	o->n_cols = n;
}

/* A row that the terminal has no room for: one line for each cell. */
static void text_block(struct out *o, const struct cell *row)
{
	for (size_t i = 0; i < o->n_cols; i++) {
		const struct out_col *col = &o->cols[i];
		scoped_buf struct buf b = BUF_INIT;

		if (!row[i].text || !*row[i].text)
			continue;
		buf_printf(&b, "%s: %s", col->title ? col->title : col->key, row[i].text);
		if (!buf_get(&b))
			no_memory(o);
		else
			wrap_text(&o->text, b.data, &(struct wrap){ 0, 2, o->width });
		buf_char(&o->text, '\n');
	}
	buf_char(&o->text, '\n');
	maybe_write(o);
}

/* Do the rows fit, if the last column may be broken into several lines? */
static bool rows_fit(const struct out *o, const size_t *widths)
{
	size_t last = o->n_cols ? o->n_cols - 1 : 0, need = 2 * last, word = 0;

	for (size_t i = 0; i < last; i++)
		need += widths[i];
	if (!o->width || need + widths[last] <= o->width)
		return true;
	for (size_t i = last; i < o->cells.len; i += o->n_cols) {
		size_t n = wrap_longest(o->cells.items[i].text ? o->cells.items[i].text : "");

		word = n > word ? n : word;
	}
	return !o->cols[last].right && need + word <= o->width &&
		need + LAST_COLUMN_MIN <= o->width;
}

static void text_rows(struct out *o, const char **texts, size_t *widths)
{
	size_t n = o->n_cols, rows = n && !o->no_memory ? o->cells.len / n : 0;
	bool fit;

	for (size_t i = 0; i < n; i++) {
		texts[i] = o->cols[i].title;
		widths[i] = texts[i] ? wrap_columns(texts[i]) : 0;
	}
	for (size_t i = 0; i < rows * n; i++)
		if (widths[i % n] < o->cells.items[i].width)
			widths[i % n] = o->cells.items[i].width;
	fit = rows_fit(o, widths);
	if (rows && texts[0] && fit)
		text_row(o, texts, widths);
	for (size_t r = 0; r < rows; r++) {
		for (size_t i = 0; i < n; i++)
			texts[i] = o->cells.items[r * n + i].text;
		if (fit)
			text_row(o, texts, widths);
		else
			text_block(o, &o->cells.items[r * n]);
	}
}

void out_table_end(struct out *o)
{
	scoped_free const char **texts = calloc(o->n_cols + 1, sizeof(*texts));
	scoped_free size_t *widths = calloc(o->n_cols + 1, sizeof(*widths));

	if (!texts || !widths) {
		no_memory(o);
		return;
	}
	text_rows(o, texts, widths);
	for (size_t i = 0; i < o->cells.len; i++)
		free(o->cells.items[i].text);
	o->cells.len = 0;
	o->cols = NULL;
	o->n_cols = 0;
}

/* --- both ----------------------------------------------------------------------------------- */

void out_begin(struct out *o, const char *key)
{
	if (o->json) {
		bool first = !o->w.depth;

		json_write_object(&o->w, key);
		if (first)
			json_write_i64(&o->w, "version", OUT_JSON_VERSION);
		return;
	}
	if (o->depth++ == 0)
		for (size_t i = 0; i < o->n_cols; i++)
			if (VEC_ADD(&o->cells, (struct cell){ NULL, 0 }) < 0)
				no_memory(o);
}

void out_end(struct out *o)
{
	if (o->json)
		json_close(o);
	else
		o->depth--;
}

void out_array(struct out *o, const char *key)
{
	if (o->json)
		json_write_array(&o->w, key);
	else
		o->depth++;
}

void out_array_end(struct out *o)
{
	out_end(o);
}

void out_bytes(struct out *o, const char *key, const char *value, size_t n)
{
	if (o->json)
		json_bytes(o, key, value, n);
	else
		text_cell(o, key, value, n);
}

void out_str(struct out *o, const char *key, const char *value)
{
	out_bytes(o, key, value, strlen(value));
}

void out_u64(struct out *o, const char *key, uint64_t value)
{
	char s[24];

	if (o->json && value <= INT64_MAX) {
		json_write_i64(&o->w, key, (int64_t)value);
		return;
	}
	(void)snprintf(s, sizeof(s), "%llu", (unsigned long long)value); /* fits: 20 digits */
	out_str(o, key, s);
}

void out_i64(struct out *o, const char *key, int64_t value)
{
	char s[24];

	if (o->json) {
		json_write_i64(&o->w, key, value);
		return;
	}
	(void)snprintf(s, sizeof(s), "%lld", (long long)value); /* fits: sign and 19 digits */
	out_str(o, key, s);
}

void out_bool(struct out *o, const char *key, bool value)
{
	if (o->json)
		json_write_bool(&o->w, key, value);
	else
		out_str(o, key, value ? "yes" : "no");
}

void out_mode(struct out *o, const char *key, uint32_t mode)
{
	char s[16];

	(void)snprintf(s, sizeof(s), "%04o", mode & 07777); /* fits: 4 digits */
	out_str(o, key, s);
}

void out_indent(struct out *o, size_t indent)
{
	o->indent = indent;
}

/* The first columns of an indented line are its title, whose blanks are kept. */
static void wrap_line(struct out *o, const char *s)
{
	size_t title = *s == ' ' ? wrap_cut(s, strlen(s), o->indent) : 0;

	buf_add(&o->text, s, title);
	wrap_text(
		&o->text, s + title, &(struct wrap){ title, *s == ' ' ? o->indent : 2, o->width });
}

static PRINTF(3, 0) void text_line(struct out *o, bool escape, const char *fmt, va_list ap)
{
	scoped_free char *s = NULL;
	scoped_buf struct buf line = BUF_INIT;

	if (o->json)
		return;
	if (vasprintf(&s, fmt, ap) < 0) {
		s = NULL;
		no_memory(o);
		return;
	}
	if (escape)
		buf_escaped(&line, s, strlen(s));
	else
		buf_str(&line, s);
	if (!buf_get(&line))
		no_memory(o);
	else if (o->indent && o->width)
		wrap_line(o, line.data);
	else
		buf_str(&o->text, line.data);
	buf_char(&o->text, '\n');
	maybe_write(o);
}

void out_line(struct out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_line(o, false, fmt, ap);
	va_end(ap);
}

void out_safe_line(struct out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_line(o, true, fmt, ap);
	va_end(ap);
}

int out_message_json(int fd, const char *command, const char *level, const char *what)
{
	struct out *o = out_new(fd, true, false);
	int r;

	if (!o)
		return -ENOMEM;
	out_begin(o, NULL);
	out_begin(o, "message");
	out_str(o, "command", command);
	out_str(o, "level", level);
	out_str(o, "what", what);
	out_end(o);
	out_end(o);
	r = out_flush(o);
	out_free(o);
	return r;
}

static void put_what(struct out *o, const struct err *e)
{
	char what[sizeof(e->place) + sizeof(e->what) + 2];

	(void)snprintf(what, sizeof(what), "%s%s%s", e->place, e->place[0] ? ": " : "", e->what);
	out_str(o, "what", what); /* it fits */
}

int out_error_json(int fd, const char *command, const struct err *e)
{
	struct out *o = out_new(fd, true, false);
	char name[16];
	int r;

	if (!o)
		return -ENOMEM;
	out_begin(o, NULL);
	out_begin(o, "error");
	out_str(o, "command", command);
	if (e->op[0])
		out_str(o, "op", e->op);
	if (e->on[0])
		out_str(o, "path", e->on);
	put_what(o, e);
	if (e->num)
		out_str(o, "errno", err_name(e->num, name));
	if (e->why[0])
		out_str(o, "why", e->why);
	if (e->hint[0])
		out_str(o, "try", e->hint);
	out_end(o);
	out_end(o);
	r = out_flush(o);
	out_free(o);
	return r;
}
