/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* num: parse numbers, where the whole string must be the number. */

#include "num.h"

#include <errno.h>
#include <string.h>

int num_u64_n(const char *s, size_t n, uint64_t *ret)
{
	uint64_t v = 0;

	if (n == 0)
		return -EINVAL;

	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned)(unsigned char)s[i] - '0';

		if (d > 9)
			return -EINVAL;
		if (v > (UINT64_MAX - d) / 10)
			return -ERANGE;
		v = v * 10 + d;
	}

	*ret = v;
	return 0;
}

int num_u64(const char *s, uint64_t *ret)
{
	return num_u64_n(s, strlen(s), ret);
}

int num_u32(const char *s, uint32_t *ret)
{
	uint64_t v;
	int r;

	r = num_u64(s, &v);
	if (r < 0)
		return r;
	if (v > UINT32_MAX)
		return -ERANGE;

	*ret = (uint32_t)v;
	return 0;
}

int num_mode(const char *s, uint32_t *ret)
{
	uint32_t v = 0;

	if (!*s)
		return -EINVAL;

	for (; *s; s++) {
		unsigned d = (unsigned)(unsigned char)*s - '0';

		if (d > 7)
			return -EINVAL;
		v = v * 8 + d;
		if (v > 07777)
			return -ERANGE;
	}

	*ret = v;
	return 0;
}

/* Cut a unit off the n bytes at s. Returns how many bytes it is: 1 without a unit. */
static uint64_t unit_of(const char *s, size_t *n)
{
	static const char units[] = "KMGT";
	size_t len = *n;
	uint64_t step = 1024, v = 1;
	const char *unit;

	if (len && s[len - 1] == 'B') {
		len--;
		if (len && s[len - 1] == 'i')
			len--;
		else
			step = 1000;
	}
	unit = len ? memchr(units, s[len - 1], sizeof(units) - 1) : NULL;
	if (!unit)
		return 1;
	*n = len - 1;
	for (const char *u = units; u <= unit; u++)
		v *= step;
	return v;
}

int num_size(const char *s, uint64_t *ret)
{
	size_t n = strlen(s);
	uint64_t v, unit = unit_of(s, &n);
	int r = num_u64_n(s, n, &v);

	if (r < 0)
		return r;
	if (v > UINT64_MAX / unit)
		return -ERANGE;

	*ret = v * unit;
	return 0;
}
