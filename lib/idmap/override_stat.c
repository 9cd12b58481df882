/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* override_stat: parse an owner that is recorded beside the file. */

#include "override_stat.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "../base/num.h"

/* Cut off the bytes up to the next sep, or all. */
static size_t field(const char *p, size_t len, char sep)
{
	const char *end = memchr(p, sep, len);

	return end ? (size_t)(end - p) : len;
}

static bool parse_id(const char *p, size_t len, uint32_t *ret)
{
	uint64_t v;

	if (num_u64_n(p, len, &v) < 0 || v >= UINT32_MAX) /* (uid_t)-1 is not a valid id */
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool parse_mode(const char *p, size_t len, uint32_t *ret)
{
	uint32_t v = 0;

	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '7' || v > (S_IFMT | 07777) >> 3)
			return false;
		v = v << 3 | (uint32_t)(p[i] - '0');
	}
	*ret = v & 07777;
	return len > 0;
}

/* Parse the rest of "block-MAJOR-MINOR". */
static bool device_ids(const char *p, size_t len)
{
	size_t n = field(p, len, '-');
	uint32_t id;

	return n < len && parse_id(p, n, &id) && parse_id(p + n + 1, len - n - 1, &id);
}

static bool parse_type(const char *p, size_t len, char ret[static 32])
{
	static const struct {
		const char *word;
		bool device;
	} types[] = {
		{ "file", false },
		{ "dir", false },
		{ "symlink", false },
		{ "pipe", false },
		{ "socket", false },
		{ "block-", true },
		{ "char-", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		size_t n = strlen(types[i].word);

		if (len < n || memcmp(p, types[i].word, n) != 0)
			continue;
		if (len >= 32 || (types[i].device ? !device_ids(p + n, len - n) : len != n))
			return false;
		memcpy(ret, p, len);
		return true;
	}
	return false;
}

int record_parse(const char *text, size_t len, struct record *ret)
{
	const char *p = text, *end = text + len, *at[4];
	struct record r = { .type = "" };
	size_t n[4], fields = 0;

	for (;; p++) {
		if (fields == ARRAY_LEN(at))
			return -EINVAL;
		at[fields] = p;
		n[fields] = field(p, (size_t)(end - p), ':');
		p += n[fields++];
		if (p == end)
			break;
	}
	if (fields < 3 || !parse_id(at[0], n[0], &r.uid) || !parse_id(at[1], n[1], &r.gid) ||
		!parse_mode(at[2], n[2], &r.mode))
		return -EINVAL;
	if (fields == 4 && !parse_type(at[3], n[3], r.type))
		return -EINVAL;
	*ret = r;
	return 0;
}
