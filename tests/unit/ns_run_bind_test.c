/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../lib/ns/container.h"
#include "test.h"

#include <errno.h>

TEST(binds_read_as_they_are_meant)
{
	static const struct {
		const char *text, *source, *target;
		bool ro, dev, own;
		enum map_wish wish;
	} good[] = {
		{ "a:/b", "a", "/b", false, false, false, MAP_KEEP },
		{ "/a:/b:ro", "/a", "/b", true, false, false, MAP_KEEP },
		{ "/a:/b:dev:ro:map", "/a", "/b", true, true, true, MAP_KEEP },
		{ "/a\\:c:/b\\\\\\:", "/a:c", "/b\\:", false, false, false, MAP_KEEP },
		{ "/a:/b:rw", "/a", "/b", false, false, false, MAP_KEEP },
		{ "/a:/b:map=none", "/a", "/b", false, false, false, MAP_NONE },
		{ "/a:/b:ro:map=0:100000:1;5:6:1", "/a", "/b", true, false, false, MAP_SET },
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct run_binds b = { 0 };
		struct err e = ERR_INIT;

		CHECK_INT(run_bind_parse(good[i].text, &b, &e), 0);
		CHECK_INT(b.len, 1);
		if (b.len == 1) {
			CHECK_STR(b.items[0].source, good[i].source);
			CHECK_STR(b.items[0].target, good[i].target);
			CHECK(b.items[0].read_only == good[i].ro && b.items[0].dev == good[i].dev);
			CHECK(b.items[0].own_map == good[i].own &&
				b.items[0].map.wish == good[i].wish);
		}
		run_binds_done(&b);
	}
}

TEST(what_is_not_a_bind_is_a_usage_error)
{
	static const char *const bad[] = {
		"",
		":",
		"a",
		"a:",
		":/b",
		"a:b",
		"a\\:/b",
		"a:/b:",
		"a:/b:rx",
		"a:/b:ro:",
		"a:/b:map:map=+1",
		"a:/b:ro:rw",
		"a:/b:rw:ro",
		"a:/b:rw:ro:map=+1",
		"a:/b:map=",
		"a:/b:map=x",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct run_binds b = { 0 };
		struct err e = ERR_INIT;

		CHECK(run_bind_parse(bad[i], &b, &e) < 0);
		CHECK(e.usage);
		CHECK_INT(b.len, 0);
		run_binds_done(&b);
	}
}

TEST(a_second_bind_on_the_same_place_is_a_usage_error)
{
	static const struct {
		const char *first, *second;
		int want;
	} cases[] = {
		{ "a:/srv", "b:/srv", -EINVAL },
		{ "a:/srv", "a:/srv//:ro", -EINVAL },
		{ "a:/srv/", "b:/srv", -EINVAL },
		{ "a:/srv", "b:/srv/x", 0 },
		{ "a:/srv", "b:/srv2", 0 },
		{ "a:/srv", "a:/sr", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run_binds b = { 0 };
		struct err e = ERR_INIT;

		CHECK_INT(run_bind_parse(cases[i].first, &b, &e), 0);
		CHECK_INT(run_bind_parse(cases[i].second, &b, &e), cases[i].want);
		CHECK(e.usage == (cases[i].want != 0));
		CHECK_INT(b.len, cases[i].want ? 1 : 2);
		run_binds_done(&b);
	}
}
