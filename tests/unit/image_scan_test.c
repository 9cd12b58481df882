/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The map that a scan suggests covers every id that it has counted, and 0:0. */

#include "test.h"

#include "../../lib/image/scan.h"

TEST(the_map_of_a_scan_covers_all_owners_and_named_ids)
{
	struct scan_owner owners[] = { { 33, 33, 5 }, { 1000, 8, 1 } };
	struct scan_owner named[] = { { 70000, 33, 1 } };
	const struct scan s = {
		.owners = { .items = owners, .len = ARRAY_LEN(owners) },
		.named = { .items = named, .len = ARRAY_LEN(named) },
	};
	static const uint32_t uids[] = { 0, 33, 1000, 70000 }, gids[] = { 0, 8, 33 };
	scoped_idmap struct idmap map = { .gid_assumed = false };
	uint32_t uid, gid, seen;

	REQUIRE(scan_map(&s, &map, NULL) == 0);
	for (size_t i = 0; i < ARRAY_LEN(uids); i++)
		CHECK(idmap_uid_seen(&map, uids[i], &seen));
	for (size_t i = 0; i < ARRAY_LEN(gids); i++)
		CHECK(idmap_gid_seen(&map, gids[i], &seen));
	CHECK(!idmap_uid_seen(&map, 34, &seen));
	CHECK(!idmap_gid_seen(&map, 70000, &seen));
	scan_highest(&s, &uid, &gid);
	CHECK_INT(uid, 70000);
	CHECK_INT(gid, 33);
}
