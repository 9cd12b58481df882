/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap: translate ids, and compare maps. */

#include "idmap.h"

#include <stdlib.h>
#include <string.h>

void idmap_done(struct idmap *m)
{
	free(m->uid.items);
	free(m->gid.items);
	*m = (struct idmap){ 0 };
}

/*
 * The ranges are sorted by disk: only the last one that starts at or before the id can contain it.
 */
static bool ranges_seen(const struct idranges *r, uint32_t disk, uint32_t *ret_seen)
{
	size_t lo = 0, hi = r->len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->items[mid].disk <= disk)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || disk - r->items[lo - 1].disk >= r->items[lo - 1].count)
		return false;

	*ret_seen = r->items[lo - 1].seen + (disk - r->items[lo - 1].disk);
	return true;
}

static bool ranges_disk(const struct idranges *r, uint32_t seen, uint32_t *ret_disk)
{
	for (size_t i = 0; i < r->len; i++) {
		const struct idrange *x = &r->items[i];

		if (seen < x->seen || seen - x->seen >= x->count)
			continue;
		*ret_disk = x->disk + (seen - x->seen);
		return true;
	}
	return false;
}

bool idmap_uid_seen(const struct idmap *m, uint32_t disk, uint32_t *ret_seen)
{
	return ranges_seen(&m->uid, disk, ret_seen);
}

bool idmap_gid_seen(const struct idmap *m, uint32_t disk, uint32_t *ret_seen)
{
	return ranges_seen(&m->gid, disk, ret_seen);
}

bool idmap_uid_disk(const struct idmap *m, uint32_t seen, uint32_t *ret_disk)
{
	return ranges_disk(&m->uid, seen, ret_disk);
}

bool idmap_gid_disk(const struct idmap *m, uint32_t seen, uint32_t *ret_disk)
{
	return ranges_disk(&m->gid, seen, ret_disk);
}

bool idranges_equal(const struct idranges *a, const struct idranges *b)
{
	return a->len == b->len &&
		(!a->len || !memcmp(a->items, b->items, a->len * sizeof(*a->items)));
}

/* draft_finish() sorts and merges, so equal maps have equal ranges. */
bool idmap_equal(const struct idmap *a, const struct idmap *b)
{
	return idranges_equal(&a->uid, &b->uid) && idranges_equal(&a->gid, &b->gid);
}

bool idranges_identity(const struct idranges *r)
{
	return r->len == 1 && r->items[0].disk == 0 && r->items[0].seen == 0 &&
		r->items[0].count == UINT32_MAX;
}

bool idmap_is_identity(const struct idmap *m)
{
	return idranges_identity(&m->uid) && idranges_identity(&m->gid);
}
