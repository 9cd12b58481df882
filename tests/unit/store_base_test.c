/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A base is a range of ids that exist, and its two maps undo each other. */

#include "test.h"

#include <errno.h>
#include <string.h>

#include "../../lib/store/store_base.h"
#include "../../lib/store/store_priv.h"

TEST(a_base_is_accepted_only_if_all_of_its_ids_exist)
{
	static const struct {
		const char *text;
		int r;
		uint32_t base, count;
	} cases[] = {
		{ "100000", 0, 100000, 65536 },
		{ "100000:1", 0, 100000, 1 },
		{ "1:4294967294", 0, 1, 4294967294 },
		{ "4294967294:1", 0, 4294967294, 1 },
		{ "4294901759", 0, 4294901759, 65536 },
		{ "4294901760", -ERANGE, 0, 0 }, /* its last id would be 4294967295 */
		{ "1:4294967295", -ERANGE, 0, 0 },
		{ "4294967295:1", -ERANGE, 0, 0 },
		{ "18446744073709551615", -ERANGE, 0, 0 },
		{ "18446744073709551616", -EINVAL, 0, 0 },
		{ "0", -EINVAL, 0, 0 },
		{ "5:0", -EINVAL, 0, 0 },
		{ "", -EINVAL, 0, 0 },
		{ ":5", -EINVAL, 0, 0 },
		{ "5:", -EINVAL, 0, 0 },
		{ "5:6:7", -EINVAL, 0, 0 },
		{ "-5", -EINVAL, 0, 0 },
		{ " 5", -EINVAL, 0, 0 },
		{ "5 ", -EINVAL, 0, 0 },
		{ "0x5", -EINVAL, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_base b = { 7, 7 };
		struct err e = ERR_INIT;

		if (store_base_parse(cases[i].text, &b, &e) != cases[i].r)
			test_fail(__FILE__, __LINE__, "'%s'", cases[i].text);
		CHECK_INT(b.base, cases[i].r ? 7 : cases[i].base);
		CHECK_INT(b.count, cases[i].r ? 7 : cases[i].count);
		CHECK_INT(e.usage, cases[i].r != 0);
	}
}

TEST(the_maps_of_a_base_undo_each_other)
{
	const struct store s = { .base = { 100000, 1000 } };
	scoped_idmap struct idmap map = { .gid_assumed = false },
				  inverse = { .gid_assumed = false };
	static const uint32_t ids[] = { 0, 1, 33, 999 };
	uint32_t seen, back;

	REQUIRE(store_base_map(&s, &map, NULL) == 0);
	REQUIRE(store_base_inverse(&s, &inverse, NULL) == 0);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		REQUIRE(idmap_uid_seen(&map, ids[i], &seen));
		CHECK_INT(seen, 100000 + ids[i]);
		REQUIRE(idmap_gid_seen(&inverse, seen, &back));
		CHECK_INT(back, ids[i]);
	}
	CHECK(!idmap_uid_seen(&map, 1000, &seen));
	CHECK(!idmap_gid_seen(&map, 1000, &seen));
	CHECK(!idmap_uid_seen(&inverse, 0, &seen));
}
