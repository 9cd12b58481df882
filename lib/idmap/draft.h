/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_DRAFT_H
#define IDMAP_DRAFT_H

#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"
#include "idmap.h"
#include "map_lex.h"

/*
 * A map under construction: ranges in any order, each with the place it was read from, for error
 * messages. draft_finish() is the only way to make a map. Private to lib/idmap.
 */
enum { KIND_UID = 1, KIND_GID = 2, KIND_BOTH = 3 }; /* of ids, as a mask */

/* A range as it was written: the numbers may be out of range. */
struct draft_entry {
	uint64_t disk, seen, count;
	unsigned written; /* the kinds that the text names, for messages */
	struct word_place at;
};

struct draft_range {
	struct idrange r;
	unsigned written;
	struct word_place at;
};

struct draft_kind {
	struct draft_range *items;
	size_t len, cap;
};

/* A draft must be zero-initialised. */
struct draft {
	struct draft_kind uid, gid;
};

/*
 * Add a range to one or both kinds, after checking it: -EINVAL if the count is 0, -ERANGE if an id,
 * or an id plus count, is beyond 4294967294. The file of its place must outlive the draft.
 */
MUST_CHECK int draft_add(
	struct draft *d, unsigned kinds, const struct draft_entry *x, struct err *e);

/* Add n ranges to one kind. */
MUST_CHECK int draft_add_ranges(struct draft *d, unsigned kind, const struct idrange *r, size_t n,
	struct word_place at, struct err *e);

/*
 * Add the lines "DISK SEEN COUNT" of one kind, extent by extent as the kernel has them. -EINVAL if
 * they are malformed, -ENODATA if the ids do not exist in this user namespace.
 */
MUST_CHECK int draft_add_kernel(struct draft *d, unsigned kind, const char *lines, struct err *e);

/*
 * Check the ranges against each other, sort and merge them, check the limits of the kernel, and
 * make the map. A kind without ranges becomes the identity if assume is set, and is -ENODATA
 * otherwise. The draft stays the caller's.
 */
MUST_CHECK int draft_finish(const struct draft *d, bool assume, struct idmap *ret, struct err *e);

void draft_done(struct draft *d);

static inline void cleanup_draft(struct draft *d)
{
	draft_done(d);
}

#define scoped_draft __attribute__((cleanup(cleanup_draft)))

#endif
