/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_GUNZIP_PRIV_H
#define TAR_GUNZIP_PRIV_H

#include "gunzip.h"

/* What the libraries report, so that both are reported in the same words. */
enum gunzip_fault {
	GUNZIP_BLOCK,
	GUNZIP_SYMBOL,
	GUNZIP_DISTANCE,
	GUNZIP_HEADER,
	GUNZIP_METHOD,
	GUNZIP_CHECKSUM,
};

/* Fill e; returns -EBADMSG. */
MUST_CHECK int gunzip_refuse(enum gunzip_fault fault, struct err *e);

/* Both libraries count in 32 bits. */
static inline uint32_t gunzip_count(size_t n)
{
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

extern const struct gunzip gunzip_zlib;
#ifdef WITH_ISAL
extern const struct gunzip gunzip_isal;
#endif

#endif
