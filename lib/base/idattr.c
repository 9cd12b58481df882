/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idattr: POSIX ACLs and file capabilities, from the bytes of their extended attributes. */

#include "idattr.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

static uint32_t get_le32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint16_t get_le16(const unsigned char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
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

/* Entries ascend by tag, the unnamed ones are there once; a named one needs a mask. */
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
	const size_t head = sizeof(struct posix_acl_xattr_header),
		     each = sizeof(struct posix_acl_xattr_entry);
	struct acl a = { .items = NULL };

	if (size < head || (size - head) % each || get_le32(p) != POSIX_ACL_XATTR_VERSION)
		return -EINVAL;
	a.len = (size - head) / each;
	if (a.len) {
		a.items = calloc(a.len, sizeof(*a.items));
		if (!a.items)
			return -ENOMEM;
	}

	p += head;
	for (size_t i = 0; i < a.len; i++, p += each) {
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

void acl_done(struct acl *a)
{
	free(a->items);
	*a = (struct acl){ .items = NULL };
}

int filecap_parse(const void *value, size_t size, struct filecap *ret)
{
	static const struct {
		uint32_t revision;
		size_t size, words;
	} forms[] = {
		{ VFS_CAP_REVISION_1, XATTR_CAPS_SZ_1, VFS_CAP_U32_1 },
		{ VFS_CAP_REVISION_2, XATTR_CAPS_SZ_2, VFS_CAP_U32_2 },
		{ VFS_CAP_REVISION_3, XATTR_CAPS_SZ_3, VFS_CAP_U32_3 },
	};
	const unsigned char *p = value;
	struct filecap c = { .present = true };
	uint32_t magic = size >= sizeof(magic) ? get_le32(p) : 0;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if ((magic & VFS_CAP_REVISION_MASK) != forms[i].revision || size != forms[i].size)
			continue;
		c.effective = magic & VFS_CAP_FLAGS_EFFECTIVE;
		for (size_t w = 0; w < forms[i].words; w++) {
			c.permitted |= (uint64_t)get_le32(p + 4 + 8 * w) << (32 * w);
			c.inheritable |= (uint64_t)get_le32(p + 8 + 8 * w) << (32 * w);
		}
		if (forms[i].revision == VFS_CAP_REVISION_3)
			c.root = get_le32(p + size - 4);
		*ret = c;
		return 0;
	}
	return -EINVAL;
}
