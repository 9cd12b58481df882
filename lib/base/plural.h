/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_PLURAL_H
#define BASE_PLURAL_H

#include <stdint.h>

/* The word for n things: plural(1, "entry", "entries") is "entry". */
static inline const char *plural(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

#endif
