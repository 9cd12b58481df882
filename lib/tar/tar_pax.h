/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_TAR_PAX_H
#define TAR_TAR_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"

/* What a pax extended header (POSIX.1 pax) says about the entry that follows it. */
struct tar_pax {
	bool hide; /* a record does not count, or may not: tar_pax_hide_each() */
	bool has_path, has_linkpath, has_uid, has_gid, has_size, has_time;
	const char *path; /* points into the parsed text; not NUL-terminated */
	size_t path_len;
	uint32_t uid, gid;
	uint64_t size; /* bytes */
	int64_t sec;   /* rounded down */
	uint32_t nsec;
	uint32_t xattrs; /* records of extended attributes, other than security.selinux */
	uint32_t acl_access, acl_default; /* entries of the POSIX ACLs; 0: none */
};

/*
 * Parse the whole body of a header; a later record of a key replaces an earlier one, and one with
 * an empty value deletes it, so that the ustar header counts. Returns NULL, or a static text that
 * says what is wrong with the entry. If a value is wrong, sets *ret_key to its key.
 */
const char *tar_pax_parse(struct tar_pax *x, const char *body, size_t n, const char **ret_key);

/*
 * Call fn with the offset of the key of each record that does not count: because it, or a later one
 * of the key, has an empty value; or because a later one replaces it and libarchive would merge the
 * two (ACLs). The body was parsed without an error. Stops at the first result that is not 0, and
 * returns it.
 */
MUST_CHECK int tar_pax_hide_each(
	const char *body, size_t n, int (*fn)(size_t at, void *arg), void *arg);

#endif
