/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tar_pax_acl: strict check of the access control lists in pax headers. */

#include "tar_pax_acl.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <linux/posix_acl.h>

#include "../base/num.h"

#define MOST_ENTRIES ((65536 - 4) / 8)

struct acl_part {
	const char *s;
	size_t n;
};

/* The tags of acl(5), "ACL TEXT FORMS"; with a name or number, an entry is of another kind. */
static const struct tag {
	const char *name, *letter;
	bool has_id;
	unsigned kind; /* of an entry without a name, of which a list has one */
} tags[] = {
	{ "user", "u", true, ACL_USER_OBJ },
	{ "group", "g", true, ACL_GROUP_OBJ },
	{ "mask", "m", false, ACL_MASK },
	{ "other", "o", false, ACL_OTHER },
};

#define NEEDED (ACL_USER_OBJ | ACL_GROUP_OBJ | ACL_OTHER)

static bool is_text(const struct acl_part *p, const char *text)
{
	return p->n == strlen(text) && !memcmp(p->s, text, p->n);
}

static const struct tag *find_tag(const struct acl_part *p)
{
	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		if (is_text(p, tags[i].name) || is_text(p, tags[i].letter))
			return &tags[i];
	return NULL;
}

static bool is_perm(const struct acl_part *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->s[i] == '\0' || !strchr("rwx-", p->s[i]))
			return false;
	return p->n > 0;
}

static bool is_number(const struct acl_part *p)
{
	uint64_t id;

	return num_u64_n(p->s, p->n, &id) == 0;
}

/* Cut the next part off *p, up to one of the characters in by, or to the end. */
static struct acl_part cut(struct acl_part *p, const char *by)
{
	struct acl_part got = { p->s, 0 };

	while (got.n < p->n && (p->s[got.n] == '\0' || !strchr(by, p->s[got.n])))
		got.n++;
	p->s += got.n + (got.n < p->n);
	p->n -= got.n + (got.n < p->n);
	return got;
}

/* acl_to_text(3) writes "ENTRY\t#effective:PERMISSIONS" where the mask takes something away. */
static struct acl_part without_comment(struct acl_part p)
{
	struct acl_part got = cut(&p, "#");

	while (got.n && (got.s[got.n - 1] == ' ' || got.s[got.n - 1] == '\t'))
		got.n--;
	return got;
}

/*
 * TAG:[NAME-OR-NUMBER]:PERMISSIONS[:NUMBER]; libarchive reads "mask:PERMISSIONS" (Solaris), too.
 * Adds the kind of an entry without a name to *seen; none may come twice.
 */
static bool is_entry(struct acl_part p, unsigned *seen)
{
	struct acl_part name = cut(&p, ":"), who, perm;
	const struct tag *t = find_tag(&name);
	unsigned kind;

	if (!t)
		return false;
	who = cut(&p, ":");
	if (who.n && !t->has_id && p.n == 0) {
		perm = who;
		who.n = 0;
	} else {
		perm = cut(&p, ":");
	}
	kind = who.n ? 0 : t->kind;
	if (!is_perm(&perm) || (who.n && !t->has_id) || (*seen & kind))
		return false;
	*seen |= kind;
	return p.n == 0 || (who.n && is_number(&p));
}

int64_t tar_pax_acl_count(const char *text, size_t n)
{
	struct acl_part left = { text, n };
	int64_t entries = 0;
	unsigned seen = 0;

	if (n == 0 || memchr(text, '\0', n))
		return -EINVAL;
	while (left.n) {
		struct acl_part p = without_comment(cut(&left, ",\n"));

		if (p.n == 0 && left.n == 0)
			break; /* a separator at the end, or a comment */
		if (!is_entry(p, &seen))
			return -EINVAL;
		if (++entries > MOST_ENTRIES)
			return -E2BIG;
	}
	return (seen & NEEDED) == NEEDED ? entries : -EINVAL;
}
