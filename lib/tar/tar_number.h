/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_TAR_NUMBER_H
#define TAR_TAR_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The numbers in a field of a tar header, of n bytes. Return 0, -EINVAL or -ERANGE. neg_ok: may the
 * number be negative?
 */

/* GNU's base-256: a two's complement number behind the top bit of the first byte. */
int tar_number_base256(const unsigned char *p, size_t n, bool neg_ok, int64_t *ret);

/*
 * As tar_number_base256() if the top bit is set, else blanks, octal digits, and blanks or a NUL.
 * Old tars leave rubbish, but only behind a NUL.
 */
int tar_number(const unsigned char *p, size_t n, bool neg_ok, int64_t *ret);

#endif
