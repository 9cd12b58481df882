/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* decode: recognise a compression format by its first bytes, and decompress. */

#include "decode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <archive.h>
#include <lzma.h>
#include <zstd.h>

#include "gunzip.h"

struct decode {
	const struct format *format;
	decode_fill *fill;
	void *arg;
	const uint8_t *in; /* input that is not used yet */
	size_t in_n;
	uint64_t in_total; /* bytes of input received so far */
	bool in_end, started, done;
	void *gz;
	bool gz_ended; /* the member has */
	ZSTD_DCtx *zstd;
	size_t zstd_want; /* nonzero inside a frame */
	lzma_stream xz;
	struct archive *archive;
	struct err *err; /* where foreign_fill() stores its error while libarchive runs */
	int fill_result;
};

struct format {
	const char *name;
	const char *magic;
	size_t magic_n;
	int filter;
	int (*open)(struct decode *d, struct err *e);
	ssize_t (*read)(struct decode *d, uint8_t *out, size_t n, struct err *e);
};

/* Get at least one byte of input, unless it has ended. Returns 0 or -errno. */
static int refill(struct decode *d, struct err *e)
{
	const void *p;
	ssize_t n;

	if (d->in_n || d->in_end)
		return 0;
	n = d->fill(d->arg, &p, e);
	if (n < 0)
		return (int)n;

	d->in = p;
	d->in_n = (size_t)n;
	d->in_total += (size_t)n;
	d->in_end = n == 0;
	return 0;
}

static int cut_short(const struct decode *d, struct err *e)
{
	return err_say(e, EBADMSG, NULL, "the %s stream is cut short", d->format->name);
}

static int trailing(const struct decode *d, struct err *e)
{
	bool zeros = true;

	for (size_t i = 0; i < d->in_n && zeros; i++)
		zeros = d->in[i] == 0;
	return err_say(e, EBADMSG, NULL, "%s follow the end of the %s stream",
		zeros ? "zeros" : "other bytes", d->format->name);
}

static ssize_t none_read(struct decode *d, uint8_t *out, size_t n, struct err *e)
{
	int r = refill(d, e);

	if (r < 0)
		return r;
	if (n > d->in_n)
		n = d->in_n;
	memcpy(out, d->in, n);
	d->in += n;
	d->in_n -= n;
	return (ssize_t)n;
}

/* The fastest library that the build found. */
static const struct gunzip *gunzip(void)
{
	return gunzip_all[0];
}

static int gzip_open(struct decode *d, struct err *e)
{
	d->gz = gunzip()->open();
	return d->gz ? 0 : err_nomem(e);
}

/* After a member: returns 1 if another one begins, 0 at the end of the input, or -errno. */
static int gzip_next_member(struct decode *d, struct err *e)
{
	int r = refill(d, e);

	if (r < 0)
		return r;
	if (!d->in_n)
		return 0;
	if (d->in[0] != 0x1f)
		return trailing(d, e);

	gunzip()->restart(d->gz);
	d->gz_ended = false;
	return 1;
}

static ssize_t gzip_read(struct decode *d, uint8_t *out, size_t n, struct err *e)
{
	struct gunzip_io io = { .out = out, .out_n = n };

	while (io.out_n) {
		size_t before = io.out_n;
		int r = d->gz_ended ? gzip_next_member(d, e) : 1;

		if (r < 0)
			return r;
		if (r == 0)
			break;
		r = refill(d, e);
		if (r < 0)
			return r;
		io.in = d->in;
		io.in_n = d->in_n;
		r = gunzip()->run(d->gz, &io, e);
		if (r < 0)
			return r;
		d->in = io.in;
		d->in_n = io.in_n;
		d->gz_ended = r == 1;
		/* At the end of the input, the decoder may still hold output, but needs no more. */
		if (d->in_end && io.out_n == before && !d->gz_ended)
			return cut_short(d, e);
	}
	return (ssize_t)(n - io.out_n);
}

static int zstd_open(struct decode *d, struct err *e)
{
	d->zstd = ZSTD_createDCtx();
	if (!d->zstd ||
		ZSTD_isError(
			ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, DECODE_WINDOW_LOG)))
		return err_nomem(e);
	return 0;
}

static bool zstd_magic(const struct decode *d)
{
	/* The magic of a frame, or that of a skippable frame, whose first byte varies. */
	return d->in[0] == 0x28 || (d->in[0] & 0xf0) == 0x50;
}

static ssize_t zstd_read(struct decode *d, uint8_t *out, size_t n, struct err *e)
{
	ZSTD_outBuffer to = { out, n, 0 };

	while (to.pos < to.size) {
		ZSTD_inBuffer from;
		size_t before = to.pos, code;
		int r = refill(d, e);

		if (r < 0)
			return r;
		if (!d->in_n && !d->zstd_want)
			break;
		if (!d->zstd_want && !zstd_magic(d))
			return trailing(d, e);
		from = (ZSTD_inBuffer){ d->in, d->in_n, 0 };
		code = ZSTD_decompressStream(d->zstd, &to, &from);
		if (ZSTD_isError(code))
			return err_say(e, EBADMSG, NULL, "the zstd stream cannot be read: %s",
				ZSTD_getErrorName(code));
		d->in += from.pos;
		d->in_n -= from.pos;
		d->zstd_want = code;
		if (d->in_end && d->zstd_want && to.pos == before)
			return cut_short(d, e);
	}
	return (ssize_t)to.pos;
}

/* liblzma is used directly because libarchive does not limit the memory that a stream may need. */
static int xz_open(struct decode *d, struct err *e)
{
	static const lzma_stream init = LZMA_STREAM_INIT;

	d->xz = init;
	return lzma_stream_decoder(&d->xz, DECODE_XZ_MEMORY, LZMA_CONCATENATED) == LZMA_OK ?
		0 :
		err_nomem(e);
}

static int xz_fault(struct decode *d, lzma_ret code, struct err *e)
{
	if (code == LZMA_MEM_ERROR)
		return err_nomem(e);
	if (code == LZMA_BUF_ERROR)
		return cut_short(d, e);
	if (code == LZMA_MEMLIMIT_ERROR)
		return err_say(e, EBADMSG, NULL,
			"the xz stream needs %llu MiB of memory to be unpacked, more than is "
			"allowed",
			(unsigned long long)(lzma_memusage(&d->xz) >> 20));
	return err_say(e, EBADMSG, NULL, "the xz stream is damaged, or other bytes follow it");
}

static ssize_t xz_read(struct decode *d, uint8_t *out, size_t n, struct err *e)
{
	lzma_stream *s = &d->xz;

	s->next_out = out;
	s->avail_out = n;
	while (s->avail_out && !d->done) {
		lzma_ret code;
		int r = refill(d, e);

		if (r < 0)
			return r;
		s->next_in = d->in;
		s->avail_in = d->in_n;
		code = lzma_code(s, d->in_end ? LZMA_FINISH : LZMA_RUN);
		d->in += d->in_n - s->avail_in;
		d->in_n = s->avail_in;
		d->done = code == LZMA_STREAM_END;
		if (code != LZMA_OK && !d->done)
			return xz_fault(d, code, e);
	}
	return (ssize_t)(n - s->avail_out);
}

static ssize_t foreign_fill(struct archive *a, void *arg, const void **ret)
{
	struct decode *d = arg;
	size_t n;

	d->fill_result = refill(d, d->err);
	if (d->fill_result < 0) {
		archive_set_error(a, -d->fill_result, "cannot read");
		return ARCHIVE_FATAL;
	}
	*ret = d->in;
	n = d->in_n;
	d->in_n = 0;
	return (ssize_t)n;
}

static int foreign_fault(struct decode *d, struct err *e)
{
	const char *text = archive_error_string(d->archive);

	if (d->fill_result < 0)
		return d->fill_result; /* fill() has filled e */
	return err_say(e, EBADMSG, NULL, "the %s stream is damaged or cut short: %s",
		d->format->name, text ? text : "unknown fault");
}

static int foreign_start(struct decode *d, struct err *e)
{
	struct archive_entry *entry;
	int r;

	d->archive = archive_read_new();
	if (!d->archive)
		return err_nomem(e);
	/* With detection by content, libarchive would undo any number of nested compressions. */
	if (archive_read_append_filter(d->archive, d->format->filter) != ARCHIVE_OK ||
		archive_read_support_format_raw(d->archive) != ARCHIVE_OK ||
		archive_read_support_format_empty(d->archive) != ARCHIVE_OK)
		return foreign_fault(d, e);

	d->err = e;
	r = archive_read_open(d->archive, d, NULL, foreign_fill, NULL);
	/* If the filter fails before its first byte, the format reports an empty stream. */
	if (r == ARCHIVE_OK && archive_errno(d->archive))
		r = ARCHIVE_FATAL;
	if (r == ARCHIVE_OK)
		r = archive_read_next_header(d->archive, &entry);
	d->err = NULL;
	if (r == ARCHIVE_EOF)
		d->done = true;
	else if (r != ARCHIVE_OK)
		return foreign_fault(d, e);
	return 0;
}

static ssize_t foreign_read(struct decode *d, uint8_t *out, size_t n, struct err *e)
{
	ssize_t got = 0;

	if (!d->archive) {
		int r = foreign_start(d, e);

		if (r < 0)
			return r;
	}
	d->err = e;
	if (!d->done)
		got = archive_read_data(d->archive, out, n);
	d->err = NULL;
	if (got < 0)
		return foreign_fault(d, e);
	if (got > 0)
		return got;

	/* The filters stop at the end of their stream: check that no input is left. */
	if ((uint64_t)archive_filter_bytes(d->archive, -1) < d->in_total)
		return err_say(e, EBADMSG, NULL, "other bytes follow the end of the %s stream",
			d->format->name);
	int r = refill(d, e);
	if (r < 0)
		return r;
	return d->in_n ? trailing(d, e) : 0;
}

static const struct format formats[] = {
	{ "gzip", "\x1f\x8b", 2, 0, gzip_open, gzip_read },
	{ "zstd", "\x28\xb5\x2f\xfd", 4, 0, zstd_open, zstd_read },
	{ "xz",
		"\xfd"
		"7zXZ\0",
		6, 0, xz_open, xz_read },
	/*
	 * "BZh1" alone could be the beginning of a file name in a plain tar, so the magic of the
	 * first block is required too.
	 */
	{ "bzip2", "BZh?\x31\x41\x59\x26\x53\x59", 10, ARCHIVE_FILTER_BZIP2, NULL, foreign_read },
	{ "bzip2", "BZh?\x17\x72\x45\x38\x50\x90", 10, ARCHIVE_FILTER_BZIP2, NULL, foreign_read },
	{ "lz4", "\x04\x22\x4d\x18", 4, ARCHIVE_FILTER_LZ4, NULL, foreign_read },
};

static const struct format format_none = { .name = "none", .read = none_read };

static bool matches(const struct format *f, const uint8_t *p, size_t n)
{
	if (n < f->magic_n)
		return false;
	for (size_t i = 0; i < f->magic_n; i++)
		if (f->magic[i] != '?' && (uint8_t)f->magic[i] != p[i])
			return false;
	return true;
}

static const struct format *recognise(const uint8_t *p, size_t n)
{
	/* zstd may begin with a skippable frame; lz4 files in practice do not. */
	if (n >= 4 && (p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18)
		return &formats[1];
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (matches(&formats[i], p, n))
			return &formats[i];
	return &format_none;
}

int decode_open(decode_fill *fill, void *arg, struct decode **ret, struct err *e)
{
	struct decode *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return err_nomem(e);
	d->fill = fill;
	d->arg = arg;
	r = refill(d, e);
	if (r == 0) {
		d->format = recognise(d->in, d->in_n);
		r = d->format->open ? d->format->open(d, e) : 0;
	}
	if (r < 0) {
		decode_free(d);
		return r;
	}

	*ret = d;
	return 0;
}

const char *decode_format(const struct decode *d)
{
	return d->format->name;
}

ssize_t decode_read(struct decode *d, void *out, size_t n, struct err *e)
{
	return d->format->read(d, out, n, e);
}

void decode_free(struct decode *d)
{
	if (!d)
		return;
	gunzip()->free(d->gz);
	(void)ZSTD_freeDCtx(d->zstd);        /* accepts NULL and cannot fail */
	lzma_end(&d->xz);                    /* accepts an all-zero stream */
	(void)archive_read_free(d->archive); /* accepts NULL; errors were reported by reads */
	free(d);
}
