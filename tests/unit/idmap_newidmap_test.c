/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The map of a rootless container: the user, then the grants without a gap. */

#include "../../lib/idmap/newidmap.h"
#include "test.h"

TEST(newidmap_ranges_continue_where_the_last_grant_ended)
{
	struct grant items[] = { { 100000, 65536, 1 }, { 300000, 10, 2 } };
	const struct grants g = { .items = items, .len = 2 };
	struct idrange r[IDMAP_EXTENTS_MAX];

	CHECK_INT(newidmap_ranges(1000, &g, r), 3);
	CHECK(r[0].disk == 0 && r[0].seen == 1000 && r[0].count == 1);
	CHECK(r[1].disk == 1 && r[1].seen == 100000 && r[1].count == 65536);
	CHECK(r[2].disk == 65537 && r[2].seen == 300000 && r[2].count == 10);
}

TEST(newidmap_ranges_are_no_more_than_the_kernel_allows)
{
	static struct grant items[400];
	const struct grants g = { .items = items, .len = 400 };
	struct idrange r[IDMAP_EXTENTS_MAX];

	for (uint32_t i = 0; i < 400; i++)
		items[i] = (struct grant){ 100000 + 10 * i, 5, i + 1 };
	CHECK_INT(newidmap_ranges(1000, &g, r), IDMAP_EXTENTS_MAX);
	CHECK_INT(r[IDMAP_EXTENTS_MAX - 1].disk, 1 + 5 * (IDMAP_EXTENTS_MAX - 2));
}
