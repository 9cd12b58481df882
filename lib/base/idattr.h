/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_IDATTR_H
#define BASE_IDATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/*
 * The extended attributes that hold ids: POSIX ACLs (linux/posix_acl_xattr.h) and file capabilities
 * (linux/capability.h, struct vfs_ns_cap_data). Both are little endian. The bytes come from
 * getxattr(2) or from an archive, and may be malformed: sizes, tags and versions are checked.
 */
#define IDATTR_ACL_ACCESS "system.posix_acl_access"
#define IDATTR_ACL_DEFAULT "system.posix_acl_default"
#define IDATTR_CAPABILITY "security.capability"

/* Is this the name of an access or default ACL? */
bool idattr_is_acl(const char *name);

/*
 * --- ACLs --------------------------------------------------------------------------------------
 */

/* The id of an entry whose id has no mapping for the reader (acl(5): ACL_UNDEFINED_ID). */
#define ATTR_NO_ID UINT32_MAX

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

/*
 * --- file capabilities -------------------------------------------------------------------------
 */

enum { FILECAP_SIZE_2 = 20, FILECAP_SIZE_3 = 24 }; /* of the values of version 2 and 3 */

/*
 * A file's capabilities. Those of version 3 take effect in user namespaces whose root is the id
 * root; those of version 2 are the same with the root 0 (capabilities(7), "File capability extended
 * attribute versioning").
 */
struct filecap {
	bool present;
	bool root_unmapped; /* present, but root has no id for the reader: the rest is unknown */
	bool effective;
	uint64_t permitted, inheritable;
	uint32_t root;
	unsigned version; /* 1, 2 or 3 */
};

/* Parse the value of an attribute. Returns 0 or -EINVAL. */
MUST_CHECK int filecap_parse(const void *value, size_t size, struct filecap *ret);

/* Convert a value of version 3 to version 2, which drops its root. */
void filecap_to_v2(const void *value, unsigned char ret[static FILECAP_SIZE_2]);

#endif
