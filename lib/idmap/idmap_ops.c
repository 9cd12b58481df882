/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap_ops: make maps of ranges, and of other maps. */

#include "idmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"

int idmap_from_ranges(const struct idrange *uid, size_t n_uid, const struct idrange *gid,
	size_t n_gid, struct idmap *ret, struct err *e)
{
	scoped_draft struct draft d = { 0 };
	int r;

	r = draft_add_ranges(&d, KIND_UID, uid, n_uid, PLACE_NONE, e);
	if (r == 0)
		r = draft_add_ranges(&d, KIND_GID, gid, n_gid, PLACE_NONE, e);
	if (r < 0)
		return r;
	return draft_finish(&d, true, ret, e);
}

int idmap_identity(struct idmap *ret, struct err *e)
{
	static const struct idrange all = { .count = UINT32_MAX };

	return idmap_from_ranges(&all, 1, &all, 1, ret, e);
}

static int compose_kind(const struct idranges *first, const struct idranges *second, unsigned kind,
	struct draft *d, struct err *e)
{
	for (size_t i = 0; i < first->len; i++) {
		const struct idrange *a = &first->items[i];

		for (size_t k = 0; k < second->len; k++) {
			const struct idrange *b = &second->items[k];
			uint32_t start = a->seen > b->disk ? a->seen : b->disk;
			uint32_t end_a = a->seen + a->count, end_b = b->disk + b->count;
			uint32_t end = end_a < end_b ? end_a : end_b;
			int r;

			if (start >= end)
				continue;
			r = draft_add_ranges(d, kind,
				&(struct idrange){ a->disk + (start - a->seen),
					b->seen + (start - b->disk), end - start },
				1, PLACE_NONE, e);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

int idmap_compose(
	const struct idmap *first, const struct idmap *second, struct idmap *ret, struct err *e)
{
	scoped_draft struct draft d = { 0 };
	int r;

	r = compose_kind(&first->uid, &second->uid, KIND_UID, &d, e);
	if (r == 0)
		r = compose_kind(&first->gid, &second->gid, KIND_GID, &d, e);
	if (r == 0)
		r = draft_finish(&d, false, ret, e);
	if (r < 0) {
		err_prefix(e, "the two maps cannot be composed");
		return r;
	}
	ret->gid_assumed = first->gid_assumed && second->gid_assumed &&
		(idranges_identity(&ret->uid) || idranges_identity(&ret->gid));
	return 0;
}

static int invert_kind(const struct idranges *r, unsigned kind, struct draft *d, struct err *e)
{
	int n = 0;

	for (size_t i = 0; i < r->len && n == 0; i++)
		n = draft_add_ranges(d, kind,
			&(struct idrange){ r->items[i].seen, r->items[i].disk, r->items[i].count },
			1, PLACE_NONE, e);
	return n;
}

int idmap_invert(const struct idmap *m, struct idmap *ret, struct err *e)
{
	scoped_draft struct draft d = { 0 };
	int r;

	r = invert_kind(&m->uid, KIND_UID, &d, e);
	if (r == 0)
		r = invert_kind(&m->gid, KIND_GID, &d, e);
	if (r == 0)
		r = draft_finish(&d, false, ret, e);
	if (r == 0)
		ret->gid_assumed = m->gid_assumed;
	return r;
}

static int copy_kind(const struct idranges *r, struct idranges *ret, struct err *e)
{
	struct idrange *items = malloc(r->len * sizeof(*items));

	if (!items)
		return err_nomem(e);

	memcpy(items, r->items, r->len * sizeof(*items));
	*ret = (struct idranges){ .items = items, .len = r->len };
	return 0;
}

int idmap_copy(const struct idmap *m, struct idmap *ret, struct err *e)
{
	scoped_idmap struct idmap copy = { .gid_assumed = m->gid_assumed };
	int r;

	r = copy_kind(&m->uid, &copy.uid, e);
	if (r == 0)
		r = copy_kind(&m->gid, &copy.gid, e);
	if (r < 0)
		return r;

	*ret = copy;
	copy = (struct idmap){ 0 };
	return 0;
}
