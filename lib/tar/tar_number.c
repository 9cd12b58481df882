/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tar_number: the numbers in a tar header. */

#include "tar_number.h"

#include <errno.h>

int tar_number_base256(const unsigned char *p, size_t n, bool neg_ok, int64_t *ret)
{
	bool neg = p[0] & 0x40;
	uint64_t v = neg ? UINT64_MAX : 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = i ? p[i] : (unsigned char)((p[0] & 0x3f) | (neg ? 0xc0 : 0));

		/* Only copies of the sign bit may be shifted out. */
		if (v >> 55 != (neg ? UINT64_MAX >> 55 : 0))
			return -ERANGE;
		v = v << 8 | c;
	}
	if (neg && !neg_ok)
		return -EINVAL;
	*ret = (int64_t)v;
	return 0;
}

int tar_number(const unsigned char *p, size_t n, bool neg_ok, int64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	if (p[0] & 0x80)
		return tar_number_base256(p, n, neg_ok, ret);
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0'); /* 12 digits: 36 bits */
	while (i < n && p[i] == ' ')
		i++;
	if (i < n && p[i] != '\0')
		return -EINVAL;
	*ret = (int64_t)v;
	return 0;
}
