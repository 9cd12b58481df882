/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* acl: parse and print POSIX ACLs. */

#include "acl.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include "le.h"
#include "vec.h"

enum {
	HEAD = sizeof(struct posix_acl_xattr_header),
	EACH = sizeof(struct posix_acl_xattr_entry),
};

bool acl_is_xattr(const char *name)
{
	static const char prefix[] = "system.posix_acl_";

	return !strncmp(name, prefix, sizeof(prefix) - 1);
}

static bool tag_named(uint16_t tag)
{
	return tag == ACL_USER || tag == ACL_GROUP;
}

static bool tag_known(uint16_t tag)
{
	return tag_named(tag) || tag == ACL_USER_OBJ || tag == ACL_GROUP_OBJ || tag == ACL_MASK ||
		tag == ACL_OTHER;
}

/* Entries are sorted by tag, unnamed ones appear once, and named ones require a mask. */
static bool acl_valid(const struct acl *a)
{
	unsigned seen = 0, needed = ACL_USER_OBJ | ACL_GROUP_OBJ | ACL_OTHER;

	for (size_t i = 0; i < a->len; i++) {
		const struct acl_entry *x = &a->items[i];

		if (!tag_known(x->tag) || x->perm > 7)
			return false;
		if (i && x->tag < a->items[i - 1].tag)
			return false;
		if (!tag_named(x->tag) && (seen & x->tag))
			return false;
		seen |= x->tag;
	}
	if (seen & (ACL_USER | ACL_GROUP))
		needed |= ACL_MASK;
	return !a->len || (seen & needed) == needed;
}

static int entry_cmp(const void *pa, const void *pb)
{
	const struct acl_entry *a = pa, *b = pb;

	if (a->tag != b->tag)
		return a->tag < b->tag ? -1 : 1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return (a->perm > b->perm) - (a->perm < b->perm);
}

void acl_sort(struct acl *a)
{
	if (a->len)
		qsort(a->items, a->len, sizeof(*a->items), entry_cmp);
}

int acl_parse(const void *value, size_t size, struct acl *ret)
{
	const unsigned char *p = value;
	struct acl a = { .items = NULL };

	if (size < HEAD || (size - HEAD) % EACH || get_le32(p) != POSIX_ACL_XATTR_VERSION)
		return -EINVAL;
	a.len = a.cap = (size - HEAD) / EACH;
	if (a.len) {
		a.items = calloc(a.len, sizeof(*a.items));
		if (!a.items)
			return -ENOMEM;
	}

	p += HEAD;
	for (size_t i = 0; i < a.len; i++, p += EACH) {
		a.items[i].tag = get_le16(p);
		a.items[i].perm = get_le16(p + 2);
		a.items[i].id = tag_named(a.items[i].tag) ? get_le32(p + 4) : 0;
	}
	if (!acl_valid(&a)) {
		acl_done(&a);
		return -EINVAL;
	}

	acl_sort(&a);
	*ret = a;
	return 0;
}

int acl_copy(const struct acl *from, struct acl *ret)
{
	struct acl a = { .items = NULL };

	for (size_t i = 0; i < from->len; i++) {
		if (VEC_ADD(&a, from->items[i]) < 0) {
			acl_done(&a);
			return -ENOMEM;
		}
	}
	*ret = a;
	return 0;
}

void acl_print(const struct acl *a, struct buf *ret)
{
	const struct posix_acl_xattr_header head = { htole32(POSIX_ACL_XATTR_VERSION) };

	buf_add(ret, &head, sizeof(head));
	for (size_t i = 0; i < a->len; i++) {
		const struct acl_entry *x = &a->items[i];
		const struct posix_acl_xattr_entry entry = {
			.e_tag = htole16(x->tag),
			.e_perm = htole16(x->perm),
			.e_id = htole32(tag_named(x->tag) ? x->id : ACL_NO_ID),
		};

		buf_add(ret, &entry, sizeof(entry));
	}
}

bool acl_id_next(const void *value, size_t size, struct acl_id *id)
{
	size_t at = id->end ? id->end : HEAD;

	for (; at + EACH <= size; at += EACH) {
		const unsigned char *p = (const unsigned char *)value + at;
		uint16_t tag = get_le16(p);

		if (!tag_named(tag))
			continue;
		*id = (struct acl_id){ tag == ACL_GROUP, get_le32(p + 4), at + EACH };
		return true;
	}
	return false;
}

void acl_id_set(void *value, const struct acl_id *at, uint32_t id)
{
	uint32_t v = htole32(id);

	memcpy((unsigned char *)value + at->end - sizeof(v), &v, sizeof(v));
}

void acl_done(struct acl *a)
{
	free(a->items);
	*a = (struct acl){ .items = NULL };
}
