/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap_diff: find the ids that two maps translate differently. */

#include "idmap_diff.h"

/* Walks through the ranges of one map; cursor_at() moves it to the disk id `at`. */
struct cursor {
	const struct idranges *r;
	size_t i; /* the first range that does not end before `at` */
	bool mapped;
	uint32_t seen,
		end; /* the seen id of `at`; the disk id up to which the translation is linear */
};

static void cursor_at(struct cursor *c, uint32_t at)
{
	const struct idrange *x;

	while (c->i < c->r->len && at - c->r->items[c->i].disk >= c->r->items[c->i].count &&
		at >= c->r->items[c->i].disk)
		c->i++;
	if (c->i == c->r->len) {
		c->mapped = false;
		c->end = UINT32_MAX; /* beyond the last id */
		return;
	}
	x = &c->r->items[c->i];
	c->mapped = at >= x->disk;
	c->seen = c->mapped ? x->seen + (at - x->disk) : 0;
	c->end = c->mapped ? x->disk + x->count : x->disk;
}

int idranges_diff(const struct idranges *a, const struct idranges *b,
	int (*fn)(const struct iddiff *d, void *arg), void *arg)
{
	struct cursor ca = { .r = a }, cb = { .r = b };
	int r = 0;

	for (uint32_t at = 0, end; at < UINT32_MAX && r == 0; at = end) {
		cursor_at(&ca, at);
		cursor_at(&cb, at);
		end = ca.end < cb.end ? ca.end : cb.end;
		if (ca.mapped != cb.mapped || (ca.mapped && ca.seen != cb.seen)) {
			struct iddiff d = { at, end - at, ca.mapped, cb.mapped, ca.seen, cb.seen };

			r = fn(&d, arg);
		}
	}
	return r;
}
