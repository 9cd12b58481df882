/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tar_pax: strict parser for the records of pax headers. */

#include "tar_pax.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/num.h"
#include "tar_pax_acl.h"

/* The largest body of an entry: its size, rounded up to a block, must fit an int64_t. */
#define SIZE_LIMIT (INT64_MAX - 512)

/* Parse [-]digits[.digits], and round down to nanoseconds. */
static int time_value(const char *s, size_t n, int64_t *ret_sec, uint32_t *ret_nsec)
{
	bool neg = n && *s == '-';
	const char *dot;
	uint64_t sec;
	uint32_t nsec = 0;
	size_t digits;

	s += neg;
	n -= neg;
	dot = memchr(s, '.', n);
	digits = dot ? (size_t)(dot - s) : n;
	if (num_u64_n(s, digits, &sec) < 0 || sec > INT64_MAX - 1)
		return -EINVAL;
	for (size_t i = 0; dot && i < n - digits - 1; i++) {
		if (dot[1 + i] < '0' || dot[1 + i] > '9')
			return -EINVAL;
		if (i < 9)
			nsec = nsec * 10 + (uint32_t)(dot[1 + i] - '0');
	}
	for (size_t i = dot ? n - digits - 1 : 9; i < 9; i++)
		nsec *= 10;

	*ret_sec = neg ? -(int64_t)sec - (nsec > 0) : (int64_t)sec;
	*ret_nsec = neg && nsec ? 1000000000 - nsec : nsec;
	return 0;
}

static int parse_id(const char *v, size_t n, uint32_t *ret)
{
	uint64_t id;

	if (num_u64_n(v, n, &id) < 0 || id > 4294967294)
		return -EINVAL;
	*ret = (uint32_t)id;
	return 0;
}

static int parse_uid(struct tar_pax *x, const char *v, size_t n)
{
	x->has_uid = true;
	return parse_id(v, n, &x->uid);
}

static int parse_gid(struct tar_pax *x, const char *v, size_t n)
{
	x->has_gid = true;
	return parse_id(v, n, &x->gid);
}

static int parse_size(struct tar_pax *x, const char *v, size_t n)
{
	x->has_size = true;
	return num_u64_n(v, n, &x->size) < 0 || x->size > SIZE_LIMIT ? -EINVAL : 0;
}

static int parse_time(struct tar_pax *x, const char *v, size_t n)
{
	x->has_time = true;
	return time_value(v, n, &x->sec, &x->nsec);
}

static int parse_text(struct tar_pax *x, const char *v, size_t n)
{
	(void)x;
	return n == 0 || memchr(v, '\0', n) ? -EINVAL : 0;
}

/* The number of entries, or what is wrong with the list; see tar_pax_acl_count(). */
static int count_acl(const char *v, size_t n, uint32_t *ret)
{
	int64_t entries = tar_pax_acl_count(v, n);

	if (entries < 0)
		return (int)entries;
	*ret = (uint32_t)entries;
	return 0;
}

static int parse_acl_access(struct tar_pax *x, const char *v, size_t n)
{
	return count_acl(v, n, &x->acl_access);
}

static int parse_acl_default(struct tar_pax *x, const char *v, size_t n)
{
	return count_acl(v, n, &x->acl_default);
}

static int parse_path(struct tar_pax *x, const char *v, size_t n)
{
	x->has_path = true;
	x->path = v;
	x->path_len = n;
	return parse_text(x, v, n);
}

static int parse_linkpath(struct tar_pax *x, const char *v, size_t n)
{
	x->has_linkpath = true;
	return parse_text(x, v, n);
}

static int parse_decimal(struct tar_pax *x, const char *v, size_t n)
{
	uint64_t u;

	(void)x;
	return num_u64_n(v, n, &u) < 0 || u > SIZE_LIMIT ? -EINVAL : 0;
}

static int parse_charset(struct tar_pax *x, const char *v, size_t n)
{
	static const char *const known[] = { "BINARY", "ISO-IR 10646 2000 UTF-8" };

	(void)x;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (n == strlen(known[i]) && !memcmp(v, known[i], n))
			return 0;
	return -EINVAL;
}

static int parse_any(struct tar_pax *x, const char *v, size_t n)
{
	(void)x;
	(void)v;
	(void)n;
	return 0;
}

#define HAS(member) offsetof(struct tar_pax, has_##member)

/*
 * The keys that affect an entry. Others are ignored here; attributes and ACLs are checked in the
 * form in which libarchive returns them.
 */
static const struct {
	const char *key;
	int (*check)(struct tar_pax *, const char *, size_t);
	size_t has;  /* offset of the flag in struct tar_pax, or 0 */
	bool counts; /* each record of the key is one more value, so that it cannot be unset */
} keys[] = {
	{ "path", parse_path, HAS(path), false },
	{ "linkpath", parse_linkpath, HAS(linkpath), false },
	{ "GNU.sparse.name", parse_path, 0, false },
	{ "uid", parse_uid, HAS(uid), false },
	{ "gid", parse_gid, HAS(gid), false },
	{ "size", parse_size, HAS(size), false },
	{ "mtime", parse_time, HAS(time), false },
	{ "hdrcharset", parse_charset, 0, false },
	{ "GNU.sparse.major", parse_decimal, 0, false },
	{ "GNU.sparse.minor", parse_decimal, 0, false },
	{ "GNU.sparse.realsize", parse_decimal, 0, false },
	{ "GNU.sparse.size", parse_decimal, 0, false },
	{ "GNU.sparse.numblocks", parse_decimal, 0, false },
	{ "GNU.sparse.offset", parse_decimal, 0, true },
	{ "GNU.sparse.numbytes", parse_decimal, 0, true },
	{ "GNU.sparse.map", parse_text, 0, false },
	{ "SCHILY.realsize", parse_decimal, 0, false },
	{ "SCHILY.devmajor", parse_decimal, 0, false },
	{ "SCHILY.devminor", parse_decimal, 0, false },
	{ "SCHILY.acl.access", parse_acl_access, 0, false },
	{ "SCHILY.acl.default", parse_acl_default, 0, false },
	{ "SUN.holesdata", parse_any, 0, false },
};

struct pax_record {
	const char *key, *value;
	size_t key_len, value_len;
};

/*
 * Read the record at *p, and move *p behind it: "LENGTH KEY=VALUE\n", where LENGTH counts the whole
 * record. Returns NULL, or what is wrong.
 */
static const char *read_record(const char **p, const char *end, struct pax_record *ret)
{
	size_t left = (size_t)(end - *p);
	const char *blank = memchr(*p, ' ', left < 8 ? left : 8), *eq;
	uint64_t len;

	if (!blank || num_u64_n(*p, (size_t)(blank - *p), &len) < 0)
		return "has a pax record without a length";
	if (len > left || len < (size_t)(blank - *p) + 3 || (*p)[len - 1] != '\n')
		return "has a pax record with a wrong length";
	eq = memchr(blank + 1, '=', len - (size_t)(blank + 1 - *p));
	if (!eq || eq == blank + 1 || memchr(blank + 1, '\0', (size_t)(eq - blank - 1)))
		return "has a pax record without a key";
	*ret = (struct pax_record){ blank + 1, eq + 1, (size_t)(eq - blank - 1),
		len - (size_t)(eq + 1 - *p) - 1 };
	*p += len;
	return NULL;
}

/*
 * SCHILY.xattr.NAME (star, GNU tar, Go), LIBARCHIVE.xattr.NAME (bsdtar). security.selinux does not
 * count: libarchive makes it of RHT.security.selinux, too.
 */
static bool is_xattr(const struct pax_record *r)
{
	static const char *const prefixes[] = { "SCHILY.xattr.", "LIBARCHIVE.xattr." };
	static const char selinux[] = "security.selinux";

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t n = strlen(prefixes[i]);

		if (r->key_len > n && !memcmp(r->key, prefixes[i], n))
			return r->key_len - n != strlen(selinux) ||
				memcmp(r->key + n, selinux, strlen(selinux)) != 0;
	}
	return false;
}

/* Returns the index of a known key, or ARRAY_LEN(keys). */
static size_t find_key(const struct pax_record *r)
{
	size_t i = 0;

	while (i < ARRAY_LEN(keys) &&
		(r->key_len != strlen(keys[i].key) || memcmp(r->key, keys[i].key, r->key_len) != 0))
		i++;
	return i;
}

/* POSIX.1 pax, "pax Extended Header": an empty value deletes what was said before. */
static bool is_unset(const struct pax_record *r, size_t key)
{
	return r->value_len == 0 && !keys[key].counts;
}

/* libarchive merges the lists of two records of one key. */
static bool is_merged(size_t key)
{
	return keys[key].check == parse_acl_access || keys[key].check == parse_acl_default;
}

static void unset(struct tar_pax *x, size_t key)
{
	if (keys[key].check == parse_acl_access)
		x->acl_access = 0;
	if (keys[key].check == parse_acl_default)
		x->acl_default = 0;
	if (keys[key].has)
		*((bool *)x + keys[key].has) = false;
	if (keys[key].check == parse_path)
		x->path = NULL;
}

const char *tar_pax_parse(struct tar_pax *x, const char *body, size_t n, const char **ret_key)
{
	for (const char *p = body, *end = body + n; p < end;) {
		struct pax_record r;
		const char *wrong = read_record(&p, end, &r);
		size_t i = wrong ? ARRAY_LEN(keys) : find_key(&r);

		if (wrong)
			return wrong;
		if (i == ARRAY_LEN(keys)) {
			x->xattrs += is_xattr(&r);
			continue;
		}
		x->hide |= is_unset(&r, i) || is_merged(i);
		if (is_unset(&r, i)) {
			unset(x, i);
		} else if (keys[i].check(x, r.value, r.value_len) < 0) {
			*ret_key = keys[i].key;
			return "has a pax record with an invalid value";
		}
	}
	return NULL;
}

int tar_pax_hide_each(const char *body, size_t n, int (*fn)(size_t at, void *arg), void *arg)
{
	const char *last[ARRAY_LEN(keys)] = { NULL };   /* record of each key that does not count */
	const char *before[ARRAY_LEN(keys)] = { NULL }; /* the record of that key read before */
	const char *end = body + n;
	struct pax_record r;
	int x = 0;

	for (const char *p = body; p < end && !read_record(&p, end, &r);) {
		size_t i = find_key(&r);

		if (i == ARRAY_LEN(keys))
			continue;
		if (is_unset(&r, i))
			last[i] = r.key;
		else if (is_merged(i) && before[i])
			last[i] = before[i];
		before[i] = r.key;
	}
	for (const char *p = body; x == 0 && p < end && !read_record(&p, end, &r);) {
		size_t i = find_key(&r);

		if (i < ARRAY_LEN(keys) && last[i] && r.key <= last[i])
			x = fn((size_t)(r.key - body), arg);
	}
	return x;
}
