/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"

/*
 * Numbers from outside. The whole string is the number or it is refused: decimal digits only, no
 * sign, no blanks, no prefix, nothing after it. Return 0, -EINVAL (not such a number) or -ERANGE
 * (does not fit). The kernel is laxer and reads 4294967296 as 0 in uid_map, so we never are.
 */
MUST_CHECK int num_u32(const char *s, uint32_t *ret);
MUST_CHECK int num_u64(const char *s, uint64_t *ret);

/* The same for the first n bytes of s. */
MUST_CHECK int num_u64_n(const char *s, size_t n, uint64_t *ret);

/* Octal digits, at most 07777: a file mode. */
MUST_CHECK int num_mode(const char *s, uint32_t *ret);

/* A size in bytes: digits and an optional K, M, G or T (powers of 1024). */
MUST_CHECK int num_size(const char *s, uint64_t *ret);

#endif
