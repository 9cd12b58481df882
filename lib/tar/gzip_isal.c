/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gzip_isal: gzip by ISA-L (Intel's library, for amd64 and arm64). */

/* Without the library the file is empty: the Makefile defines WITH_ISAL where it is found. */
#ifdef WITH_ISAL

#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#include "gunzip_priv.h"
#include "gzip_priv.h"

static void *isal_open(void)
{
	struct isal_zstream *z = malloc(sizeof(*z));

	if (!z)
		return NULL;
	isal_deflate_init(z); /* level 0, which needs no further memory */
	z->gzip_flag = IGZIP_GZIP;
	return z;
}

static bool isal_run(void *state, struct gunzip_io *io, bool end)
{
	struct isal_zstream *z = state;
	const uint32_t in_n = gunzip_count(io->in_n), out_n = gunzip_count(io->out_n);

	z->next_in = (uint8_t *)(uintptr_t)io->in; /* it is only read */
	z->avail_in = in_n;
	z->next_out = io->out;
	z->avail_out = out_n;
	z->end_of_stream = end && in_n == io->in_n;
	(void)isal_deflate(z); /* fails for a wrong level or flush alone */
	io->in += in_n - z->avail_in;
	io->in_n -= in_n - z->avail_in;
	io->out += out_n - z->avail_out;
	io->out_n -= out_n - z->avail_out;
	return end ? z->internal_state.state == ZSTATE_END : !io->in_n && io->out_n;
}

const struct gzip_library gzip_isal = {
	.name = "ISA-L",
	.open = isal_open,
	.run = isal_run,
	.free = free,
};

#endif
