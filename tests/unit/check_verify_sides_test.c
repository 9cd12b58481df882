/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../lib/check/verify_sides.h"

#include "../../lib/base/cleanup.h"
#include "test.h"

static struct idmap map_of(const char *text)
{
	struct idmap m = { 0 };

	REQUIRE(idmap_parse(&text, 1, NULL, &m, NULL) == 0);
	return m;
}

TEST(the_disk_side_is_what_was_given_or_the_mount_without_its_map)
{
	static const struct {
		struct verify_subject s;
		enum verify_side side;
	} cases[] = {
		{ { .kind = MOUNT_MAP_KNOWN }, SIDE_UNMAPPED },
		{ { .kind = MOUNT_MAP_HIDDEN }, SIDE_UNMAPPED },
		{ { .kind = MOUNT_MAP_NONE }, SIDE_MISSING },
		{ { .kind = MOUNT_MAP_OVERLAY }, SIDE_MISSING },
		{ { .kind = MOUNT_MAP_NONE, .below = true }, SIDE_NONE },
		{ { .kind = MOUNT_MAP_OVERLAY, .below = true }, SIDE_NONE },
		{ { .kind = MOUNT_MAP_KNOWN, .below = true }, SIDE_UNMAPPED },
		{ { .kind = MOUNT_MAP_NONE, .source = true }, SIDE_SOURCE },
		{ { .kind = MOUNT_MAP_KNOWN, .source = true }, SIDE_SOURCE },
		{ { .kind = MOUNT_MAP_OVERLAY, .expected = true }, SIDE_EXPECTED },
		{ { .kind = MOUNT_MAP_KNOWN, .expected = true, .below = true }, SIDE_EXPECTED },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (verify_sides_disk(&cases[i].s) != cases[i].side)
			test_fail(__FILE__, __LINE__, "case %zu: side %d, not %d", i,
				verify_sides_disk(&cases[i].s), cases[i].side);
}

TEST(without_a_map_given_the_mount_decides)
{
	static const struct {
		struct verify_subject s;
		enum verify_map use;
	} cases[] = {
		{ { .kind = MOUNT_MAP_KNOWN }, USE_MOUNT },
		{ { .kind = MOUNT_MAP_NONE, .source = true }, USE_IDENTITY },
		{ { .kind = MOUNT_MAP_HIDDEN }, MAP_UNKNOWN },
		{ { .kind = MOUNT_MAP_OVERLAY, .expected = true }, MAP_UNKNOWN },
		{ { .kind = MOUNT_MAP_OVERLAY, .expected = true, .nested_userns = true },
			USE_IDENTITY },
		{ { .kind = MOUNT_MAP_OVERLAY, .source = true, .nested_userns = true },
			MAP_UNKNOWN },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (verify_sides_map(&cases[i].s) != cases[i].use)
			test_fail(__FILE__, __LINE__, "case %zu: map %d, not %d", i,
				verify_sides_map(&cases[i].s), cases[i].use);
}

TEST(the_known_map_of_a_stack_is_used_and_compared_with_one_that_is_given)
{
	struct idmap own = map_of("+100000"), same = map_of("+100000"), other = map_of("+200000");
	struct verify_subject s = { .kind = MOUNT_MAP_OVERLAY, .map = &own, .expected = true };

	CHECK_INT(verify_sides_map(&s), USE_MOUNT);
	s.given = &same;
	CHECK_INT(verify_sides_map(&s), USE_GIVEN);
	s.given = &other;
	CHECK_INT(verify_sides_map(&s), MAP_DIFFERS);
	s.map = NULL;
	CHECK_INT(verify_sides_map(&s), USE_GIVEN);
	idmap_done(&own);
	idmap_done(&same);
	idmap_done(&other);
}

TEST(a_given_map_is_held_against_the_map_of_the_mount)
{
	struct idmap given = map_of("0:100000:1000"), part = map_of("0:100000:10"),
		     other = map_of("0:200000:1000");
	struct verify_subject s = { .kind = MOUNT_MAP_KNOWN, .map = &given, .given = &given };

	CHECK_INT(verify_sides_map(&s), USE_GIVEN);
	s.map = &other;
	CHECK_INT(verify_sides_map(&s), MAP_DIFFERS);
	s.kind = MOUNT_MAP_HIDDEN;
	CHECK_INT(verify_sides_map(&s), USE_GIVEN);
	s.kind = MOUNT_MAP_NONE;
	CHECK_INT(verify_sides_map(&s), USE_GIVEN);
	s.below = true;
	CHECK_INT(verify_sides_map(&s), MAP_DIFFERS);
	s.source = true;
	CHECK_INT(verify_sides_map(&s), USE_GIVEN);

	/* Part of the given map is a difference only where all lines are visible. */
	s = (struct verify_subject){
		.kind = MOUNT_MAP_KNOWN, .map = &part, .given = &given, .source = true
	};
	CHECK_INT(verify_sides_map(&s), MAP_TRUNCATED);
	CHECK(verify_sides_partial(&s));
	s.initial_userns = true;
	CHECK_INT(verify_sides_map(&s), MAP_DIFFERS);
	CHECK(!verify_sides_partial(&s));
	s.initial_userns = s.source = false;
	CHECK_INT(verify_sides_map(&s), MAP_DIFFERS);
	idmap_done(&given);
	idmap_done(&part);
	idmap_done(&other);
}

TEST(the_overflow_id_is_in_doubt_where_an_id_can_be_without_a_number)
{
	struct idmap own = map_of("+100000");
	const struct {
		struct verify_subject s;
		unsigned doubt;
	} cases[] = {
		{ { .kind = MOUNT_MAP_KNOWN, .map = &own }, 0 },
		{ { .kind = MOUNT_MAP_HIDDEN, .initial_userns = true }, VERIFY_DOUBT_SEEN },
		{ { .kind = MOUNT_MAP_NONE, .expected = true, .initial_userns = true }, 0 },
		{ { .kind = MOUNT_MAP_NONE, .expected = true }, VERIFY_DOUBT_SEEN },
		{ { .kind = MOUNT_MAP_OVERLAY, .expected = true, .initial_userns = true },
			VERIFY_DOUBT_SEEN },
		{ { .kind = MOUNT_MAP_OVERLAY, .expected = true, .map = &own }, 0 },
		{ { .kind = MOUNT_MAP_NONE, .source = true, .initial_userns = true },
			VERIFY_SAME_IDS },
		{ { .kind = MOUNT_MAP_NONE,
			  .source = true,
			  .source_overlay = true,
			  .initial_userns = true },
			VERIFY_DOUBT_DISK | VERIFY_SAME_IDS },
		{ { .kind = MOUNT_MAP_NONE, .source = true },
			VERIFY_DOUBT_DISK | VERIFY_DOUBT_SEEN | VERIFY_SAME_IDS },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (verify_sides_doubt(&cases[i].s) != cases[i].doubt)
			test_fail(__FILE__, __LINE__, "case %zu: doubt %u, not %u", i,
				verify_sides_doubt(&cases[i].s), cases[i].doubt);
	idmap_done(&own);
}
