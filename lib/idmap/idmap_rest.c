/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap_rest: the entry "rest", which keeps each id that no other entry names. */

#include <stdlib.h>

#include "map_parser.h"
#include "userns.h"
#include "userns_self.h"

/* The first number that is not an id, as the end of all ids. */
#define NO_ID UINT32_MAX

/* Ids from first to end, without end. */
struct id_part {
	uint32_t first, end;
};

struct id_parts {
	struct id_part *items;
	size_t len, cap;
};

static int by_first(const void *a, const void *b)
{
	uint32_t x = ((const struct id_part *)a)->first, y = ((const struct id_part *)b)->first;

	return x < y ? -1 : x > y;
}

/* List, in order, the ids of both sides of the entries: none of them can stay what it is. */
static int named(const struct draft_kind *k, struct id_parts *ret)
{
	for (size_t i = 0; i < k->len; i++) {
		const struct idrange *r = &k->items[i].r;

		if (VEC_ADD(ret, (struct id_part){ r->disk, r->disk + r->count }) < 0 ||
			VEC_ADD(ret, (struct id_part){ r->seen, r->seen + r->count }) < 0)
			return -ENOMEM;
	}
	if (ret->len)
		qsort(ret->items, ret->len, sizeof(*ret->items), by_first);
	return 0;
}

/* Add the ids from first to end that are not among those, each as itself. */
static int add_others(struct map_parser *p, unsigned kind, struct word_place at,
	const struct id_parts *those, struct id_part part)
{
	uint32_t next = part.first;
	int r = 0;

	for (size_t i = 0; i <= those->len && r == 0 && next < part.end; i++) {
		uint32_t stop = i < those->len ? those->items[i].first : part.end;
		struct idrange x = { next, next, 0 };

		if (stop > part.end)
			stop = part.end;
		if (stop > next) {
			x.count = stop - next;
			r = draft_add_ranges(&p->draft, kind, &x, 1, at, p->e);
		}
		if (i < those->len && those->items[i].end > next)
			next = those->items[i].end;
	}
	return r;
}

static int add_kind(struct map_parser *p, unsigned kind, const struct idranges *exist)
{
	struct id_parts those = { 0 };
	int r = named(kind == KIND_UID ? &p->draft.uid : &p->draft.gid, &those);

	if (r < 0)
		r = err_nomem(p->e);
	for (size_t i = 0; i < exist->len && r == 0; i++)
		r = add_others(p, kind, p->rest_at, &those,
			(struct id_part){ exist->items[i].disk,
				exist->items[i].disk + exist->items[i].count });
	VEC_DONE(&those);
	return r;
}

int map_add_rest(struct map_parser *p)
{
	scoped_idmap struct idmap all = { .gid_assumed = false };
	int r;

	if (!p->rest)
		return 0;
	/* In a user namespace these are the ids that exist there. */
	r = userns_is_nested() ? userns_map_own(&all, p->e) : idmap_identity(&all, p->e);
	if (r == 0 && p->rest & KIND_UID)
		r = add_kind(p, KIND_UID, &all.uid);
	if (r == 0 && p->rest & KIND_GID)
		r = add_kind(p, KIND_GID, &all.gid);
	return r;
}
