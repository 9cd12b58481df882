/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_DRAFT_H
#define IDMAP_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "idmap.h"

/*
 * A map while it is being written: ranges in any order, each with the place it was read from, so
 * that a refusal can show the reader where. Private to lib/idmap.
 */
struct word_place {
	const char
		*file; /* then pos is a line of it; NULL: pos is a byte offset in the map's text */
	size_t pos;    /* SIZE_MAX: the range was not read from a text */
};

enum { KIND_UID = 1, KIND_GID = 2, KIND_BOTH = 3 };

#define PLACE_NONE ((struct word_place){ .pos = SIZE_MAX })

struct draft_range {
	struct idrange r;
	unsigned kinds; /* it was written for */
	struct word_place at;
};

struct draft_kind {
	struct draft_range *items;
	size_t len, cap;
};

/* Zero-initialise. */
struct draft {
	struct draft_kind uid, gid;
};

/*
 * Add a range to one or both kinds (written: the kinds its text names, for messages). Checks all
 * that one range can show: -EINVAL (count 0), -ERANGE (an id above 4294967294, by itself or by
 * adding count). The place's file must outlive the draft.
 */
MUST_CHECK int draft_add(struct draft *d, unsigned kinds, unsigned written, uint64_t disk,
	uint64_t seen, uint64_t count, struct word_place at, struct err *e);

/*
 * Check the ranges against each other, sort, merge, count, and make the map. With assume a kind
 * without ranges becomes the identity; otherwise it is -ENODATA. The draft stays the caller's.
 */
MUST_CHECK int draft_finish(const struct draft *d, bool assume, struct idmap *ret, struct err *e);

void draft_done(struct draft *d);

static inline void cleanup_draft(struct draft *d)
{
	draft_done(d);
}

#define scoped_draft __attribute__((cleanup(cleanup_draft)))

/* Both in the constructor's form. */
bool idranges_equal(const struct idranges *a, const struct idranges *b);

/* All ids, each seen as itself. */
bool idranges_identity(const struct idranges *r);

/*
 * Describe a fault of the n bytes at word, read at a place: "... (byte 4 of the map)". Returns
 * -num.
 */
int place_fault(struct err *e, int num, struct word_place at, const char *word, size_t n,
	const char *fmt, ...) PRINTF(6, 7);

#endif
