/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_ACL_H
#define BASE_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/*
 * POSIX ACLs as extended attributes (linux/posix_acl_xattr.h; little endian). The bytes come from
 * getxattr(2) or from an archive, and may be malformed: sizes, tags and versions are checked.
 */
#define ACL_XATTR_ACCESS "system.posix_acl_access"
#define ACL_XATTR_DEFAULT "system.posix_acl_default"

/* Is this the name of an access or default ACL? */
bool acl_is_xattr(const char *name);

/* The id of an entry whose id has no mapping for the reader (acl(5): ACL_UNDEFINED_ID). */
#define ACL_NO_ID UINT32_MAX

struct acl_entry {
	uint16_t tag;  /* ACL_USER, ACL_GROUP ... of linux/posix_acl.h */
	uint16_t perm; /* 0 to 7 */
	uint32_t id;   /* of ACL_USER and ACL_GROUP; 0 for the others */
};

/* A parsed ACL. Zero-initialise it, add entries with VEC_ADD, and free it with acl_done(). */
struct acl {
	struct acl_entry *items; /* sorted by tag, then id */
	size_t len, cap;
};

/*
 * Parse the value of an attribute by the rules of the kernel's posix_acl_valid(). Returns 0,
 * -EINVAL if it is not a valid ACL, or -ENOMEM.
 */
MUST_CHECK int acl_parse(const void *value, size_t size, struct acl *ret);
void acl_done(struct acl *a);

/* Sort the entries as acl_parse() does, after a change. */
void acl_sort(struct acl *a);

/* Copy an ACL. Returns 0 or -ENOMEM. */
MUST_CHECK int acl_copy(const struct acl *from, struct acl *ret);

/* Append the ACL to ret as the value of an attribute. The entries must be sorted. */
void acl_print(const struct acl *a, struct buf *ret);

/*
 * Iterate over the ids in the value of an attribute, in place; the ACL need not be valid:
 *
 * 	for (struct acl_id id = { 0 }; acl_id_next(value, size, &id);)
 */
struct acl_id {
	bool group; /* a group's id, not a user's */
	uint32_t id;
	size_t end; /* the offset after the entry */
};

/* Returns false after the last one. */
bool acl_id_next(const void *value, size_t size, struct acl_id *id);

/* Overwrite the id that acl_id_next() found last. */
void acl_id_set(void *value, const struct acl_id *at, uint32_t id);

#endif
