/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_CRC64_H
#define TAR_CRC64_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-64/GO-ISO (ISO 3309 with all bits inverted before and after), as Go's hash/crc64 computes it
 * with its ISO table. Begin with crc = 0; the result for a piece is the crc for the next one.
 */
typedef uint64_t crc64_iso(uint64_t crc, const void *p, size_t n);

/* All that this build has, the fastest first; NULL is the last. */
extern crc64_iso *const crc64_iso_all[];

#endif
