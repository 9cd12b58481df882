/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"

/*
 * Numbers from outside. The whole string must be the number: decimal digits only, without sign,
 * blanks or prefix. Functions return 0, -EINVAL (not such a number) or -ERANGE (out of range). (The
 * kernel is less strict and reads 4294967296 in uid_map as 0.)
 */
MUST_CHECK int num_u32(const char *s, uint32_t *ret);
MUST_CHECK int num_u64(const char *s, uint64_t *ret);

/* Parse the first n bytes of s, which must all be the number. */
MUST_CHECK int num_u64_n(const char *s, size_t n, uint64_t *ret);

/* Parse a file mode: octal digits, at most 07777. */
MUST_CHECK int num_mode(const char *s, uint32_t *ret);

/*
 * Parse a size in bytes: digits and an optional unit, as GNU programs have them: K, M, G, T or KiB,
 * MiB, ... are powers of 1024, and KB, MB, ... powers of 1000.
 */
MUST_CHECK int num_size(const char *s, uint64_t *ret);

#endif
