/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_TAR_PAX_H
#define TAR_TAR_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the records of a pax extended header (POSIX.1 pax) say of the entry that follows it. */
struct tar_pax {
	bool has_path, has_linkpath, has_uid, has_gid, has_size, has_time;
	const char *path; /* in the text that was parsed */
	size_t path_len;
	uint32_t uid, gid;
	uint64_t size;
	int64_t sec; /* rounded down */
	uint32_t nsec;
};

/*
 * Parse a header's whole body; a later record of a key replaces an earlier one. NULL when all is
 * sound; otherwise what is wrong with the entry, and (of a wrong value) *ret_key: whose.
 */
const char *tar_pax_parse(struct tar_pax *x, const char *body, size_t n, const char **ret_key);

#endif
