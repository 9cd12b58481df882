/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gunzip_isal: gzip by ISA-L (Intel's library, for amd64 and arm64). */

/* Without the library the file is empty: the Makefile defines WITH_ISAL where it is found. */
#ifdef WITH_ISAL

#include <isa-l/igzip_lib.h>
#include <stdbool.h>
#include <stdlib.h>

#include "gunzip_priv.h"

/*
 * isal_inflate() can read headers, too, but forgets what it has of one at the end of the input, and
 * then refuses a header that is cut there. So the header is read before.
 */
struct isal {
	struct inflate_state inflate;
	struct isal_gzip_header header;
	bool in_data; /* behind the header */
};

static void isal_restart(void *state)
{
	struct isal *s = state;

	isal_inflate_reset(&s->inflate);
	s->inflate.crc_flag = ISAL_GZIP_NO_HDR_VER; /* CRC-32 and length are checked at the end */
	isal_gzip_header_init(&s->header);
	s->in_data = false;
}

static void *isal_open(void)
{
	struct isal *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	isal_inflate_init(&s->inflate);
	isal_restart(s);
	return s;
}

static int isal_fault(int code, struct err *e)
{
	switch (code) {
	case ISAL_INVALID_SYMBOL:
		return gunzip_refuse(GUNZIP_SYMBOL, e);
	case ISAL_INVALID_LOOKBACK:
		return gunzip_refuse(GUNZIP_DISTANCE, e);
	case ISAL_INVALID_WRAPPER:
		return gunzip_refuse(GUNZIP_HEADER, e);
	case ISAL_UNSUPPORTED_METHOD:
		return gunzip_refuse(GUNZIP_METHOD, e);
	case ISAL_INCORRECT_CHECKSUM:
		return gunzip_refuse(GUNZIP_CHECKSUM, e);
	default: /* ISAL_INVALID_BLOCK; others belong to zlib's format */
		return gunzip_refuse(GUNZIP_BLOCK, e);
	}
}

/* Bits 5 to 7 of FLG are reserved, and "must be zero" (RFC 1952, 2.3.1.2). */
enum { FLG_RESERVED = 0xe0 };

/* Returns 0, or -errno with e filled; s->in_data says if the header has ended. */
static int isal_header(struct isal *s, struct err *e)
{
	int r = isal_read_gzip_header(&s->inflate, &s->header);

	if (r == ISAL_END_INPUT)
		return 0;
	if (r != ISAL_DECOMP_OK)
		return isal_fault(r, e);
	if (s->header.flags & FLG_RESERVED)
		return gunzip_refuse(GUNZIP_HEADER, e);
	s->in_data = true;
	return 0;
}

static int isal_run(void *state, struct gunzip_io *io, struct err *e)
{
	struct isal *s = state;
	struct inflate_state *z = &s->inflate;
	const uint32_t in_n = gunzip_count(io->in_n), out_n = gunzip_count(io->out_n);
	int r = 0;

	z->next_in = (uint8_t *)(uintptr_t)io->in; /* it is only read */
	z->avail_in = in_n;
	z->next_out = io->out;
	z->avail_out = out_n;
	if (!s->in_data)
		r = isal_header(s, e);
	if (r < 0)
		return r;
	r = s->in_data ? isal_inflate(z) : ISAL_DECOMP_OK;
	if (r != ISAL_DECOMP_OK && r != ISAL_END_INPUT)
		return isal_fault(r, e);

	io->in += in_n - z->avail_in;
	io->in_n -= in_n - z->avail_in;
	io->out += out_n - z->avail_out;
	io->out_n -= out_n - z->avail_out;
	return s->in_data && z->block_state == ISAL_BLOCK_FINISH;
}

const struct gunzip gunzip_isal = {
	.name = "ISA-L",
	.open = isal_open,
	.run = isal_run,
	.restart = isal_restart,
	.free = free,
};

#endif
