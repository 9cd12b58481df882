/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rootless_map: the ids of podman's user namespace for an ordinary user. */

#include "rootless_map.h"

#include <errno.h>
#include <stdlib.h>

#include "../base/vec.h"
#include "newidmap.h"

static int by_start(const void *a, const void *b)
{
	const struct grant *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

size_t rootless_ranges(uint32_t own, const struct grants *g, struct idrange *ret)
{
	struct grant sorted[IDMAP_EXTENTS_MAX] = { { .count = 0 } };
	struct grants by_ids = { .items = sorted };

	for (size_t i = 0; i < g->len && i < ARRAY_LEN(sorted); i++)
		sorted[by_ids.len++] = g->items[i];
	qsort(sorted, by_ids.len, sizeof(*sorted), by_start);
	return newidmap_ranges(own, &by_ids, ret);
}

static uint64_t count(const struct idranges *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->len; i++)
		n += r->items[i].count;
	return n;
}

int rootless_relative(const struct idmap *map, const struct user *user, const struct grants *uid,
	const struct grants *gid, struct idmap *ret, struct err *e)
{
	struct idrange u[IDMAP_EXTENTS_MAX], g[IDMAP_EXTENTS_MAX];
	scoped_idmap struct idmap own = { .gid_assumed = false }, back = { .gid_assumed = false },
				  m = { .gid_assumed = false };
	int r = idmap_from_ranges(u, rootless_ranges(user->uid, uid, u), g,
		rootless_ranges(user->gid, gid, g), &own, e);

	if (r == 0)
		r = idmap_invert(&own, &back, e);
	if (r == 0)
		r = idmap_compose(map, &back, &m, NULL);
	if (r < 0)
		return r == -ENOMEM ? err_nomem(e) : r;
	if (count(&m.uid) < count(&map->uid) || count(&m.gid) < count(&map->gid))
		return -ENODATA;
	*ret = m;
	m = (struct idmap){ .gid_assumed = false };
	return 0;
}

static bool has_all(const struct idranges *r, const struct grants *g)
{
	uint64_t n = 1;

	for (size_t i = 0; i < g->len; i++)
		n += g->items[i].count;
	return r->len == 1 && r->items[0].disk == 0 && r->items[0].seen == 0 &&
		r->items[0].count == n;
}

bool rootless_is_plain(
	const struct idmap *relative, const struct grants *uid, const struct grants *gid)
{
	return has_all(&relative->uid, uid) && has_all(&relative->gid, gid);
}
