/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cases that tools of this kind are known to get wrong: accepted or refused, and what an accepted
 * map makes of some ids. Columns are texts on purpose: some are no numbers.
 */

#include <stdio.h>

#include "../../lib/base/buf.h"
#include "../../lib/idmap/idmap.h"
#include "test.h"

#define UNMAPPED IDMAP_OVERFLOW

static const struct {
	const char *name;
	const char *extents[2][3]; /* disk, seen, count */
	bool accept;
	size_t n_ids;
	uint32_t ids[3][2]; /* disk, seen */
} cases[] = {
	{ "one", { { "0", "100000", "65536" } }, true, 3,
		{ { 0, 100000 }, { 65535, 165535 }, { 65536, UNMAPPED } } },
	{ "single-id", { { "1000", "2000", "1" } }, true, 3,
		{ { 1000, 2000 }, { 1001, UNMAPPED }, { 0, UNMAPPED } } },
	{ "two-extents-gap", { { "0", "100000", "1000" }, { "1000", "5000", "1" } }, true, 3,
		{ { 999, 100999 }, { 1000, 5000 }, { 1001, UNMAPPED } } },
	{ "crossed", { { "0", "1000", "1" }, { "1000", "0", "1" } }, true, 2,
		{ { 0, 1000 }, { 1000, 0 } } },
	{ "identity-all", { { "0", "0", "4294967295" } }, true, 2,
		{ { 0, 0 }, { 4294967294, 4294967294 } } },
	{ .name = "count-zero", .extents = { { "0", "0", "0" } } },
	{ .name = "count-2-32", .extents = { { "0", "0", "4294967296" } } },
	{ .name = "wrap-seen", .extents = { { "0", "4294967295", "1" } } },
	{ .name = "wrap-sum", .extents = { { "0", "1", "4294967295" } } },
	{ .name = "truncation",
		.extents = { { "4294967296", "0",
			"1" } } }, /* 0 to the kernel: root would be mapped */
	{ .name = "negative", .extents = { { "-1", "0", "1" } } },
	{ .name = "hex", .extents = { { "0x10", "0", "1" } } },
	{ .name = "overlap-disk", .extents = { { "0", "100", "10" }, { "5", "200", "10" } } },
	{ .name = "overlap-seen", .extents = { { "0", "0", "10" }, { "20", "5", "10" } } },
	{ .name = "empty", .extents = { { NULL } } },
};

/* Each form in which the case can be written. */
static const struct {
	const char *before, *field, *between;
} forms[] = {
	{ "u:", ":", ";u:" },
	{ "b:", ":", " b:" },
	{ "", ":", ";" },
	{ "uids=", "-", "#" },
};

static void write_case(size_t c, size_t form, struct buf *b)
{
	for (size_t i = 0; i < 2 && cases[c].extents[i][0]; i++) {
		buf_str(b, i ? forms[form].between : forms[form].before);
		for (size_t k = 0; k < 3; k++)
			buf_printf(b, "%s%s", k ? forms[form].field : "", cases[c].extents[i][k]);
	}
}

TEST(idmap_agrees_with_the_table_of_known_cases_in_every_form)
{
	for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(forms); i++) {
		size_t c = i / ARRAY_LEN(forms);
		scoped_idmap struct idmap m = { 0 };
		scoped_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;
		const char *text;
		int r;

		write_case(c, i % ARRAY_LEN(forms), &b);
		text = buf_get(&b);
		r = idmap_parse(&text, 1, NULL, &m, &e);
		if ((r == 0) != cases[c].accept)
			test_fail(__FILE__, __LINE__, "%s: '%s' is %s", cases[c].name, text,
				r ? e.what : "accepted");
		for (size_t k = 0; k < cases[c].n_ids && r == 0; k++) {
			uint32_t seen = UNMAPPED;

			(void)idmap_uid_seen(&m, cases[c].ids[k][0],
				&seen); /* unmapped: stays as the kernel shows it */
			CHECK_INT(seen, cases[c].ids[k][1]);
		}
	}
}

TEST(idmap_takes_a_name_as_an_id_only_when_it_is_one)
{
	scoped_idmap struct idmap m = { 0 };
	struct err e = ERR_INIT;
	const char *text = "root:5:1";
	uint32_t seen;

	REQUIRE(idmap_parse(&text, 1, NULL, &m, &e) == 0);
	CHECK(idmap_uid_seen(&m, 0, &seen) && seen == 5);
}
