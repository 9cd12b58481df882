/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gunzip_zlib: gzip by zlib. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "gunzip_priv.h"

/* inflateInit2(): the largest window, and a gzip header that is required. */
enum { GZIP_ALONE = MAX_WBITS + 16 };

static void *zlib_open(void)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (z && inflateInit2(z, GZIP_ALONE) == Z_OK)
		return z;
	free(z);
	return NULL;
}

/* zlib reports the kind of a fault by its text alone (inflate.c, inffast.c). */
static int zlib_fault(const char *text, struct err *e)
{
	static const struct {
		const char *text;
		enum gunzip_fault fault;
	} faults[] = {
		{ "incorrect header check", GUNZIP_HEADER },
		{ "unknown header flags set", GUNZIP_HEADER },
		{ "header crc mismatch", GUNZIP_CHECKSUM },
		{ "unknown compression method", GUNZIP_METHOD },
		{ "incorrect data check", GUNZIP_CHECKSUM },
		{ "incorrect length check", GUNZIP_CHECKSUM },
		{ "invalid literal/length code", GUNZIP_SYMBOL },
		{ "invalid distance code", GUNZIP_SYMBOL },
		{ "invalid distance too far back", GUNZIP_DISTANCE },
	};

	for (size_t i = 0; text && i < ARRAY_LEN(faults); i++)
		if (!strcmp(faults[i].text, text))
			return gunzip_refuse(faults[i].fault, e);
	return gunzip_refuse(GUNZIP_BLOCK, e);
}

static int zlib_run(void *state, struct gunzip_io *io, struct err *e)
{
	z_stream *z = state;
	const uint32_t in_n = gunzip_count(io->in_n), out_n = gunzip_count(io->out_n);
	int r;

	z->next_in = (uint8_t *)(uintptr_t)io->in; /* it is only read */
	z->avail_in = in_n;
	z->next_out = io->out;
	z->avail_out = out_n;
	r = inflate(z, Z_NO_FLUSH);
	if (r == Z_MEM_ERROR)
		return err_nomem(e);
	/* Z_BUF_ERROR: there was nothing to do, for lack of input or of room. */
	if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
		return zlib_fault(z->msg, e);

	io->in += in_n - z->avail_in;
	io->in_n -= in_n - z->avail_in;
	io->out += out_n - z->avail_out;
	io->out_n -= out_n - z->avail_out;
	return r == Z_STREAM_END;
}

static void zlib_restart(void *state)
{
	(void)inflateReset(state); /* fails only for a state that is not one */
}

static void zlib_free(void *state)
{
	if (!state)
		return;
	(void)inflateEnd(state); /* as inflateReset() */
	free(state);
}

const struct gunzip gunzip_zlib = {
	.name = "zlib",
	.open = zlib_open,
	.run = zlib_run,
	.restart = zlib_restart,
	.free = zlib_free,
};
