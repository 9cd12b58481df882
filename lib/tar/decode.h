/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_DECODE_H
#define TAR_DECODE_H

#include <stddef.h>
#include <sys/types.h>

#include "../base/err.h"

/*
 * Decompression, pulled: gzip (any number of members; CRC and length checked) through ISA-L, zstd
 * (any number of frames) through libzstd, xz (any number of streams, padding between) through
 * liblzma, bzip2 and lz4 through libarchive's filters, or nothing. The format is recognised by the
 * first bytes. Memory is bounded.
 */
struct decode;

/* zstd frames that need a larger window than 128 MiB are refused, as zstd(1) does unless asked. */
enum { DECODE_WINDOW_LOG = 27 };

/*
 * xz streams with a larger dictionary than 128 MiB, too: xz -9 makes one of 64. The decoder itself
 * needs less than 1 MiB.
 */
enum { DECODE_XZ_MEMORY = (1 << DECODE_WINDOW_LOG) + (1 << 20) };

/*
 * Sets *ret to the next compressed bytes (valid until the next call): how many, 0 at the end,
 * -errno with e filled.
 */
typedef ssize_t decode_fill(void *arg, const void **ret, struct err *e);

int decode_open(decode_fill *fill, void *arg, struct decode **ret, struct err *e);

/* "gzip", "zstd", "xz", "bzip2", "lz4" or "none". Static. */
const char *decode_format(const struct decode *d);

/*
 * Up to n decoded bytes into out: how many; 0 only at the end of the compressed stream, when all of
 * its input was used; -errno with e filled (-EBADMSG: damaged, cut short, or followed by something
 * else).
 */
ssize_t decode_read(struct decode *d, void *out, size_t n, struct err *e);

void decode_free(struct decode *d);

#endif
