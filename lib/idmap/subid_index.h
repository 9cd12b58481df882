/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_SUBID_INDEX_H
#define IDMAP_SUBID_INDEX_H

#include "subid.h"

/*
 * A file of grants (subuid(5)) that is read once, for callers that look up many users: subid_read()
 * goes through the whole file for each.
 */
struct subid_index;

/* Read the file. Lines that are malformed are kept, too. Free with subid_index_free(). */
MUST_CHECK int subid_index_read(const char *file, struct subid_index **ret, struct err *e);

/* The name of the file, for messages. */
const char *subid_index_file(const struct subid_index *x);

/*
 * The lines, sorted by the text of the user, and then by their number. Their strings are valid as
 * long as the index.
 */
const struct subid_line *subid_index_lines(const struct subid_index *x, size_t *ret_n);

/*
 * Append the grants of a user, as subid_parse() does; lines of other users are not looked at.
 */
MUST_CHECK int subid_index_get(
	const struct subid_index *x, const struct user *user, struct grants *ret, struct err *e);

void subid_index_free(struct subid_index *x);

static inline void cleanup_subid_index(struct subid_index **x)
{
	subid_index_free(*x);
}

#define scoped_subid_index __attribute__((cleanup(cleanup_subid_index)))

/* Both files, for a caller that makes many maps. Zero: none was read. */
struct subid_files {
	struct subid_index *uid, *gid;
};

#endif
