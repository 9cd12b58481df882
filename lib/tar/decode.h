/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_DECODE_H
#define TAR_DECODE_H

#include <stddef.h>
#include <sys/types.h>

#include "../base/err.h"

/*
 * Pull decoder for gzip (any number of members; CRC and length are checked) through ISA-L or zlib
 * (gunzip.h), zstd (any number of frames) through libzstd, xz (any number of streams, with padding
 * between them) through liblzma, bzip2 and lz4 through libarchive's filters, and uncompressed data.
 * The first bytes determine the format. Memory is bounded.
 */
struct decode;

/* zstd frames that need a window of more than 128 MiB are refused, as zstd(1) does by default. */
enum { DECODE_WINDOW_LOG = 27 };

/*
 * xz streams with a dictionary of more than 128 MiB are refused; xz -9 makes one of 64 MiB. The
 * decoder itself needs less than 1 MiB.
 */
enum { DECODE_XZ_MEMORY = (1 << DECODE_WINDOW_LOG) + (1 << 20) };

/*
 * Set *ret to the next compressed bytes, which are valid until the next call. Returns their number,
 * 0 at the end, or -errno with e filled.
 */
typedef ssize_t decode_fill(void *arg, const void **ret, struct err *e);

/*
 * Detect the format and start decoding. Returns 0, or -errno with e filled (-EBADMSG, -ENOMEM, or
 * the error of fill).
 */
MUST_CHECK int decode_open(decode_fill *fill, void *arg, struct decode **ret, struct err *e);

/* Returns "gzip", "zstd", "xz", "bzip2", "lz4" or "none"; static. */
const char *decode_format(const struct decode *d);

/*
 * Write up to n decoded bytes to out. Returns their number, 0 only at the end of the compressed
 * stream when all input was used, or -errno with e filled (-EBADMSG: the stream is damaged, cut
 * short, or followed by other bytes).
 */
MUST_CHECK ssize_t decode_read(struct decode *d, void *out, size_t n, struct err *e);

void decode_free(struct decode *d);

#endif
