/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_IDATTR_H
#define CHECK_IDATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The two extended attributes that hold ids: POSIX ACLs and file capabilities. The bytes are what
 * getxattr(2) gives, which may be anything a filesystem image says: sizes, tags and versions are
 * checked, nothing is assumed.
 */

/* The id of an entry whose id has no mapping for the reader (acl(5) calls it ACL_UNDEFINED_ID). */
#define ATTR_NO_ID UINT32_MAX

struct acl_entry {
	uint16_t tag;  /* ACL_USER, ACL_GROUP ... of linux/posix_acl.h */
	uint16_t perm; /* 0 to 7 */
	uint32_t id;   /* of ACL_USER and ACL_GROUP; 0 for the rest */
};

/* Zero-initialise; len 0 is "has none". */
struct acl {
	struct acl_entry *items; /* sorted by tag, then id */
	size_t len;
};

/*
 * Read the value of system.posix_acl_access or system.posix_acl_default (linux/posix_acl_xattr.h:
 * version 2, little endian). Returns 0 with *ret to be freed by acl_done(), -EINVAL when it is no
 * valid ACL (the rules are those of the kernel's posix_acl_valid()), -ENOMEM.
 */
int acl_parse(const void *value, size_t size, struct acl *ret);
void acl_done(struct acl *a);

/* Sort as acl_parse() does, after ids were changed. */
void acl_sort(struct acl *a);

/*
 * A file's capabilities; revision 2 is one whose root is id 0 (capabilities(7), "File capability
 * extended attribute versioning").
 */
struct filecap {
	bool present;
	bool root_unmapped; /* it has some whose root has no id for the reader: nothing else is
	                       known */
	bool effective;
	uint64_t permitted, inheritable;
	uint32_t root;
};

/* Read the value of security.capability, revision 1, 2 or 3. Returns 0 or -EINVAL. */
int filecap_parse(const void *value, size_t size, struct filecap *ret);

#endif
