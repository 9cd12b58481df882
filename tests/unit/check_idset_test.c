/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets of ids, and the smallest map over them. */

#include <stdlib.h>

#include "../../lib/check/idset.h"
#include "../../lib/check/needed_ids.h"
#include "test.h"

static struct idset *set_new(void)
{
	struct idset *s = calloc(1, sizeof(*s));

	REQUIRE(s);
	return s;
}

static void set_free(struct idset *s)
{
	idset_done(s);
	free(s);
}

TEST(idset_gives_back_what_was_added_as_ranges)
{
	static const uint32_t ids[] = { 0, 1, 2, 63, 64, 65535, 65536, 65536, 4294967294u,
		UINT32_MAX, 2, 0 };
	static const struct idrange want[] = {
		{ 0, 0, 3 },
		{ 63, 63, 2 },
		{ 65535, 65535, 2 },
		{ 4294967294u, 4294967294u, 1 },
	};
	struct idset *s = set_new();
	idrange_vec v = { .len = 0 };

	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		REQUIRE(idset_add(s, ids[i]) == 0);
	CHECK_INT(idset_ranges(s, 340, &v), 0);
	REQUIRE(v.len == ARRAY_LEN(want));
	CHECK(!memcmp(v.items, want, sizeof(want)));
	VEC_DONE(&v);
	set_free(s);
}

TEST(idset_joins_over_the_narrowest_gaps_and_counts_what_that_adds)
{
	/* gaps of 9, 4, 4, 99 */
	static const uint32_t ids[] = { 0, 10, 15, 20, 120 };
	static const struct {
		size_t max, n;
		int64_t added;
	} rows[] = {
		{ 5, 5, 0 },
		{ 4, 4, 4 },
		{ 3, 3, 8 },
		{ 2, 2, 17 },
		{ 1, 1, 116 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct idset *s = set_new();
		idrange_vec v = { .len = 0 };

		for (size_t k = 0; k < ARRAY_LEN(ids); k++)
			REQUIRE(idset_add(s, ids[k]) == 0);
		CHECK_INT(idset_ranges(s, rows[i].max, &v), rows[i].added);
		CHECK_INT(v.len, rows[i].n);
		VEC_DONE(&v);
		set_free(s);
	}
}

TEST(cover_finds_a_map_however_scattered_the_ids_are)
{
	struct needed_ids *c = needed_ids_new();
	scoped_idmap struct idmap m = { .gid_assumed = false };
	struct err e = ERR_INIT;
	uint64_t added = 0;
	uint32_t seen;

	REQUIRE(c);
	for (uint32_t i = 0; i < 5000; i++)
		REQUIRE(needed_ids_add_owner(c, i * 800000u, 7, &e) == 0);
	REQUIRE(needed_ids_map(c, &m, &added, &e) == 0);
	CHECK(added > 0);
	CHECK(m.uid.len > 100 && m.uid.len <= IDMAP_EXTENTS_MAX);
	CHECK_INT(m.gid.len, 1);
	for (uint32_t i = 0; i < 5000; i++)
		CHECK(idmap_uid_seen(&m, i * 800000u, &seen) && seen == i * 800000u);
	needed_ids_free(c);
}

TEST(cover_of_nothing_is_an_error)
{
	struct needed_ids *c = needed_ids_new();
	struct idmap m;
	struct err e = ERR_INIT;
	uint64_t added;

	REQUIRE(c);
	CHECK(needed_ids_map(c, &m, &added, &e) < 0);
	CHECK_HAS(e.what, "no ids");
	needed_ids_free(c);
}
