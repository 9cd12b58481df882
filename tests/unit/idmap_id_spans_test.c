/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ids that a tree uses: bounded, and never an id that it does not use. */

#include "../../lib/idmap/id_spans.h"

#include <stdlib.h>

#include "test.h"

static const char *text_of(const struct id_spans *s)
{
	static struct buf b;

	buf_reset(&b);
	id_spans_print(s, &b);
	return buf_get(&b);
}

TEST(spans_merge_ids_in_any_order)
{
	static const uint32_t ids[] = { 5, 3, 4, 0, 0, 1000, 4294967294u, 1001, 1, 999, 5,
		4294967295u };
	struct id_spans s = { .len = 0 }, back = { .len = 0 };

	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		id_spans_add(&s, ids[i]);
	CHECK_STR(text_of(&s), "0-1 3-5 999-1001 4294967294-4294967295");
	CHECK_INT(id_spans_parse(text_of(&s), &back), 0);
	CHECK_STR(text_of(&back), "0-1 3-5 999-1001 4294967294-4294967295");
}

TEST(spans_are_bounded_and_their_ends_are_used)
{
	static bool used[100000];
	struct id_spans s = { .len = 0 }, back;
	bool ends = true, all = true;

	srand(1);
	for (int i = 0; i < 3000; i++) {
		uint32_t id = (uint32_t)rand() % ARRAY_LEN(used);
		bool in = false;

		used[id] = true;
		id_spans_add(&s, id);
		REQUIRE(s.len <= ID_SPANS_MAX);
		for (size_t k = 0; k < s.len; k++) {
			in = in || (id >= s.items[k].first && id <= s.items[k].last);
			ends = ends && used[s.items[k].first] && used[s.items[k].last];
			if (k)
				REQUIRE(s.items[k].first - s.items[k - 1].last > 1);
		}
		all = all && in;
	}
	CHECK(ends);
	CHECK(all);
	for (size_t k = 0; k < s.len; k++)
		for (uint32_t id = s.items[k].first; !s.items[k].holes && id < s.items[k].last;
			id++)
			CHECK(used[id]);
	CHECK_INT(id_spans_parse(text_of(&s), &back), 0);
}

TEST(spans_merge_with_spans)
{
	static const struct {
		const char *a, *b, *want;
	} cases[] = {
		{ "", "1-5 9", "1-5 9" },
		{ "1-5 9", "", "1-5 9" },
		{ "0-10", "5-20", "0-20" },
		{ "0-10 30-40", "11-29", "0-40" },
		{ "5~50", "7", "5~50" },
		{ "1 3 5", "0-9", "0-9" },
		{ "0", "4294967295", "0 4294967295" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct id_spans a, b;

		REQUIRE(id_spans_parse(cases[i].a, &a) == 0);
		REQUIRE(id_spans_parse(cases[i].b, &b) == 0);
		id_spans_merge(&a, &b);
		CHECK_STR(text_of(&a), cases[i].want);
	}
}

TEST(spans_refuse_text_of_other_forms)
{
	static const char *const bad[] = { "x", "1-", "-1", "2-1", "1 1", "5 3", "1,2",
		"4294967296", "1-2-3", "1 - 2", "1-5 5" };
	struct id_spans s;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (id_spans_parse(bad[i], &s) == 0)
			test_fail(__FILE__, __LINE__, "'%s' is accepted", bad[i]);
	CHECK_INT(id_spans_parse("", &s), 0);
}

TEST(spans_outside_of_a_map_are_found_id_by_id)
{
	static const struct {
		const char *spans, *outside;
	} cases[] = {
		{ "0-65535", "" },
		{ "0-65536", "65536" },
		{ "0 33 99999", "99999" },
		{ "65530-65540 70000-70005", "65536-65540 70000 70003-70005" },
		{ "0~4294967294", "4294967294" },
		{ "69999~70001", "69999" },
		{ "4294967295", "4294967295" },
	};
	static struct idrange ranges[] = { { 0, 100000, 65536 }, { 70001, 1, 2 } };
	const struct idranges disk = { ranges, 2 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct id_spans s, out = { .len = 0 };

		REQUIRE(id_spans_parse(cases[i].spans, &s) == 0);
		out.len = id_spans_outside(&s, &disk, out.items, ID_SPANS_MAX);
		CHECK_STR(out.len ? text_of(&out) : "", cases[i].outside);
	}
}
