/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gzip_zlib: gzip by zlib. */

#include <stdlib.h>
#include <zlib.h>

#include "gunzip_priv.h"
#include "gzip_priv.h"

enum {
	GZIP = MAX_WBITS + 16, /* deflateInit2(): the largest window, and a gzip header */
	MEMORY = 8,            /* its default */
};

static void *zlib_open(void)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (z &&
		deflateInit2(z, Z_BEST_SPEED, Z_DEFLATED, GZIP, MEMORY, Z_DEFAULT_STRATEGY) == Z_OK)
		return z;
	free(z);
	return NULL;
}

static bool zlib_run(void *state, struct gunzip_io *io, bool end)
{
	z_stream *z = state;
	const uint32_t in_n = gunzip_count(io->in_n), out_n = gunzip_count(io->out_n);
	int r;

	z->next_in = (uint8_t *)(uintptr_t)io->in; /* it is only read */
	z->avail_in = in_n;
	z->next_out = io->out;
	z->avail_out = out_n;
	/* It fails for a wrong state or flush, and if there is nothing to do. */
	r = deflate(z, end && in_n == io->in_n ? Z_FINISH : Z_NO_FLUSH);
	io->in += in_n - z->avail_in;
	io->in_n -= in_n - z->avail_in;
	io->out += out_n - z->avail_out;
	io->out_n -= out_n - z->avail_out;
	return end ? r != Z_OK : !io->in_n && io->out_n;
}

static void zlib_free(void *state)
{
	if (state)
		(void)deflateEnd(state); /* reports unfinished output, which is of no use */
	free(state);
}

const struct gzip_library gzip_zlib = {
	.name = "zlib",
	.open = zlib_open,
	.run = zlib_run,
	.free = zlib_free,
};
