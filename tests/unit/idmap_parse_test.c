/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the language of maps accepts, what it makes of it, and what it refuses, where and why. */

#include <errno.h>
#include <stdio.h>

#include "../../lib/base/buf.h"
#include "../../lib/idmap/draft.h"
#include "../../lib/idmap/idmap.h"
#include "test.h"

static int parse(const char *text, struct idmap *ret, struct err *e)
{
	return idmap_parse(&text, 1, NULL, ret, e);
}

TEST(idmap_texts_read_as_canonical_maps)
{
	static const struct {
		const char *text, *canonical;
	} good[] = {
		{ "0:100000:65536", "b:0:100000:65536" },
		{ "b:0:100000:65536", "b:0:100000:65536" },
		{ "both:0:100000:65536", "b:0:100000:65536" },
		{ "+100000", "b:0:100000:65536" },
		{ "+100000:1000", "b:0:100000:1000" },
		{ "+0:4294967295", "b:0:0:4294967295" },
		{ "u:1:2:3", "u:1:2:3;g:0:0:4294967295" },
		{ "gid:1:2:3", "u:0:0:4294967295;g:1:2:3" },
		{ "u:1:2:3;g:4:5:6", "u:1:2:3;g:4:5:6" },
		{ " \tuid:1:2:3 ; g:4:5:6\n", "u:1:2:3;g:4:5:6" },
		{ "b:0:10:5 u:5:15:1", "u:0:10:6;g:0:10:5" },
		{ "5:6:1 0:1:5", "b:0:1:6" },
		{ "u:0:1000:1 u:1000:0:1", "u:0:1000:1;u:1000:0:1;g:0:0:4294967295" },
		{ "007:08:09", "b:7:8:9" },
		{ "0:1:1,1:2:1", "b:0:1:2" },
		{ "u:1:2:3 , g:4:5:6", "u:1:2:3;g:4:5:6" },
		{ "rest", "b:0:0:4294967295" },
		{ "u:rest", "b:0:0:4294967295" },
		{ "1000:100033:1,rest",
			"b:0:0:1000;b:1000:100033:1;b:1001:1001:99032;b:100034:100034:4294867261" },
		{ "rest;u:0:1:1", "u:0:1:1;u:2:2:4294967293;g:0:0:4294967295" },
		{ "u:rest;5:6:1", "u:0:0:5;u:5:6:1;u:7:7:4294967288;g:5:6:1" },
		{ "0:1:1;1:0:1;rest", "b:0:1:1;b:1:0:1;b:2:2:4294967293" },
		{ "0:4294967294:1;rest", "b:0:4294967294:1;b:1:1:4294967293" },
		{ "10:15:10;rest", "b:0:0:10;b:10:15:10;b:25:25:4294967270" },
		{ "4294967294:0:1 rest rest", "b:1:1:4294967293;b:4294967294:0:1" },
		{ "0:0:10;rest", "b:0:0:4294967295" },
		{ "4294967294:0:1", "b:4294967294:0:1" },
		{ "0:4294967294:1", "b:0:4294967294:1" },
		{ "uids=0-100-10", "u:0:100:10;g:0:0:4294967295" },
		{ "uids=0-100-10#10-200-10;gids=0-5-1", "u:0:100:10;u:10:200:10;g:0:5:1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		scoped_buf struct buf b = BUF_INIT;
		scoped_idmap struct idmap m = { 0 };
		struct err e = ERR_INIT;

		if (!CHECK(parse(good[i].text, &m, &e) == 0)) {
			test_fail(__FILE__, __LINE__, "'%s': %s", good[i].text, e.what);
			continue;
		}
		idmap_print(&m, &b);
		CHECK_STR(buf_get(&b), good[i].canonical);
	}
}

static const struct {
	const char *text;
	int r;
	const char *on, *what;
} refusals[] = {
	{ "", -EINVAL, "", "the map is empty (byte 0" },
	{ "  ", -EINVAL, "", "the map is empty (byte 2" },
	{ ";", -EINVAL, "", "missing beside ';' or ',' (byte 0" },
	{ "0:1:1;", -EINVAL, "", "missing beside ';' or ',' (byte 6" },
	{ "0:1:1;;1:2:1", -EINVAL, "", "missing beside ';' or ',' (byte 6" },
	{ "0:1:1 x:1:1:1", -EINVAL, "x",
		"not a kind of id: b, u or g (or both, uid, gid) (byte 6" },
	{ "0:1", -EINVAL, "0:1", "expected DISK:SEEN:COUNT" },
	{ "0:1:2:3:4", -EINVAL, "0:1:2:3:4", "has no more fields" },
	{ "u:0:1:2:3", -EINVAL, "u:0:1:2:3", "has no more fields" },
	{ "u:0:1", -EINVAL, "u:0:1", "must follow the kind of id" },
	{ "0: 1:5", -EINVAL, "0:", "expected DISK:SEEN:COUNT" },
	{ "0 :1:5", -EINVAL, "0", "expected DISK:SEEN:COUNT" },
	{ "::", -EINVAL, "", "DISK is missing (byte 0" },
	{ "u:0::1", -EINVAL, "", "SEEN is missing (byte 4" },
	{ "0:1:", -EINVAL, "",
		"COUNT is missing: the number of ids, as in 0:100000:65536 (byte 4" },
	{ "0:1:0", -EINVAL, "0:1:0", "the count is 0" },
	{ "-1:0:1", -EINVAL, "-1", "DISK has a sign" },
	{ "0:+1:1", -EINVAL, "+1", "SEEN has a sign" },
	{ "0:1:+1", -EINVAL, "+1", "COUNT is not a decimal number (byte 4" },
	{ "0:1:-1", -EINVAL, "-1", "COUNT is not a decimal number" },
	{ "0x10:0:1", -EINVAL, "0x10", "DISK is not a decimal number" },
	{ "b:0:1:1x", -EINVAL, "1x", "COUNT is not a decimal number (byte 6" },
	{ "0:1:1,", -EINVAL, "", "missing beside ';' or ',' (byte 6" },
	{ "0:1:1;,1:2:1", -EINVAL, "", "missing beside ';' or ',' (byte 6" },
	{ "0:1:1:rest", -EINVAL, "0:1:1:rest", "has three fields" },
	{ "x:rest", -EINVAL, "x:rest", "expected DISK:SEEN:COUNT" },
	{ "0:1:1,rest;0:2:1", -EINVAL, "b:0:2:1", "overlaps" },
	{ "4294967295:0:1", -ERANGE, "4294967295:0:1", "disk id 4294967295 is not a valid id" },
	{ "0:4294967295:1", -ERANGE, "0:4294967295:1", "seen id 4294967295 is not a valid id" },
	{ "4294967296:0:1", -ERANGE, "4294967296:0:1", "beyond the last id" },
	{ "0:18446744073709551616:1", -ERANGE, "18446744073709551616",
		"SEEN is beyond the last id, 4294967294 (byte 2" },
	{ "0:0:18446744073709551616", -ERANGE, "18446744073709551616", "COUNT is beyond" },
	{ "0:0:4294967296", -ERANGE, "0:0:4294967296", "reach beyond the last id" },
	{ "0:1:4294967295", -ERANGE, "0:1:4294967295", "seen id and count reach beyond" },
	{ "1:0:4294967295", -ERANGE, "1:0:4294967295", "disk id and count reach beyond" },
	{ "b:0:100:10 b:5:200:10", -EINVAL, "b:5:200:10",
		"overlaps b:0:100:10: disk ids 5-9 would be seen as two ids each (byte "
		"11" },
	{ "u:5:200:10 b:0:100:10", -EINVAL, "b:0:100:10", "overlaps u:5:200:10: disk ids 5-9" },
	{ "0:0:10 20:5:10", -EINVAL, "b:20:5:10",
		"overlaps b:0:0:10: seen ids 5-9 would stand for two disk ids each (byte "
		"7" },
	{ "0:1:1 0:1:1", -EINVAL, "b:0:1:1", "overlaps" },
	{ "+", -EINVAL, "", "BASE is missing (byte 1" },
	{ "++1", -EINVAL, "+1", "BASE is not a decimal number (byte 1" },
	{ "+root", -EINVAL, "root", "BASE is not a decimal number" },
	{ "+1:", -EINVAL, "", "COUNT is missing" },
	{ "+1:2:3", -EINVAL, "+1:2:3", "has no more fields" },
	{ "+4294967294", -ERANGE, "0:4294967294:65536", "reach beyond" },
	{ "uids=", -EINVAL, "", "not DISK-SEEN-COUNT (byte 5" },
	{ "uids=0-1-2#", -EINVAL, "", "not DISK-SEEN-COUNT (byte 11" },
	{ "uids=0-1", -EINVAL, "0-1", "not DISK-SEEN-COUNT" },
	{ "uids=0-1-2-3", -EINVAL, "0-1-2-3", "not DISK-SEEN-COUNT" },
	{ "uids=@0-1-2", -EINVAL, "@0-1-2", "'@'" },
	{ "uids=0-root-2", -EINVAL, "root", "not a decimal number (byte 7" },
	{ "uids=0--1-2", -EINVAL, "0--1-2", "not DISK-SEEN-COUNT" },
	{ "no-such-user-here:0:1", -ENOENT, "no-such-user-here",
		"there is no user of this name (byte 0" },
	{ "g:0:no-such-group-here:1", -ENOENT, "no-such-group-here",
		"there is no group of this name (byte 4" },
};

TEST(idmap_refusals_name_the_fault_the_word_and_the_place)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct idmap m = { .uid.len = 77 };
		struct err e = ERR_INIT;
		int r = parse(refusals[i].text, &m, &e);

		if (r != refusals[i].r)
			test_fail(__FILE__, __LINE__, "'%s' gives %d, not %d: %s", refusals[i].text,
				r, refusals[i].r, e.what);
		CHECK(e.set);
		CHECK_STR(e.on, refusals[i].on);
		CHECK_HAS(e.what, refusals[i].what);
		CHECK_INT(m.uid.len, 77); /* the result is set on success only */
	}
}

TEST(idmap_refusals_say_what_was_probably_meant)
{
	static const struct {
		const char *text, *hint;
	} cases[] = {
		{ "100000", "did you mean +100000" },
		{ "1000:100033", "1000:100033:1 for one id" },
		{ "1000=100033", "1000:100033:1,rest keeps all others but 100033" },
		{ "1000-2000:100033-101033", "1000:100033:1001" },
		{ "root", "user:root" },
		{ "bad", "1000:100033:1 (DISK:SEEN:COUNT), +100000, or user:NAME" },
		{ "0:100000:65536:b", "the kind of id comes first: b:0:100000:65536" },
		{ "0:1:100000:65536", "DISK:SEEN:COUNT" },
		{ "u:0:1", "add COUNT, the number of ids: u:0:1:1" },
		{ "0 100000 65536", "did you mean 0:100000:65536?" },
		{ "0 100000", "separate the three numbers with ':'" },
		{ "--uidmap=0:1:2", "shift-check map" },
		{ "lxc.idmap: u 0 100000 65536", "shift-check map" },
		{ "u 0 100000 65536", "did you mean u:0:100000:65536?" },
		{ "both\t0 1  2", "did you mean both:0:1:2?" },
		{ "u 0 x 65536", "shift-check map" },
		{ "+", "as in +100000" },
		{ "+1:2:3", "DISK:SEEN:COUNT without '+'" },
		{ "100000-165535", "did you mean +100000:65536 (disk id 0 is seen as 100000" },
		{ "0:1:2,", "omit the ';' or ',' at the end" },
		{ "0:1:2;,3:4:5", "between two entries" },
		{ "none", "none is the absence of a map; write" },
		{ "none;+1", "write none alone" },
		{ "+1;none", "write none alone" },
		{ "host", "for no map, write none" },
		{ "keep-id", "add the user: keep-id:USER" },
		{ "keepid:root", "did you mean keep-id:root?" },
		{ "users:root", "did you mean user:root?" },
		{ "user=root", "did you mean user:root?" },
		{ "subuid:1000", "did you mean subid:1000?" },
		{ "uid:root", "1000:100033:1 (DISK:SEEN:COUNT), +100000" },
		{ "image:debian", "shift-check map --cover image:debian" },
		{ "/etc/subuid", "write subid:NAME or user:NAME" },
		{ "@1000", "for one id, write 1000:SEEN:1" },
		{ "{\"uidMappings\": []}", "shift-check map" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct idmap m = { .uid.len = 77 };
		struct err e = ERR_INIT;

		CHECK(parse(cases[i].text, &m, &e) < 0);
		CHECK_HAS(e.hint, cases[i].hint);
	}
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct idmap m = { .uid.len = 77 };
		struct err e = ERR_INIT;

		if (parse(refusals[i].text, &m, &e) == -EINVAL)
			CHECK(e.hint[0]);
	}
}

TEST(idmap_rest_counts_as_the_kernel_counts)
{
	scoped_buf struct buf b = BUF_INIT;
	struct idmap m = { 0 };
	struct err e = ERR_INIT;

	/* Each id that moves parts the rest on both sides: 3 extents, and one at the end. */
	for (unsigned i = 0; i < 80; i++)
		buf_printf(&b, "%u:%u:1,", i * 10 + 1, 100000 + i * 10);
	buf_str(&b, "rest");
	REQUIRE(parse(buf_get(&b), &m, &e) == 0);
	CHECK_INT(m.uid.len, 241);
	idmap_done(&m);
	buf_reset(&b);
	for (unsigned i = 0; i < 120; i++)
		buf_printf(&b, "%u:%u:1,", i * 10 + 1, 100000 + i * 10);
	buf_str(&b, "rest");
	CHECK_INT(parse(buf_get(&b), &m, &e), -E2BIG);
	CHECK_HAS(e.what, "the kernel allows 340");
}

/* Texts of n ranges that do not touch (step 2) or that do (step 1). */
static int parse_many(size_t n, uint32_t first, uint32_t step, struct idmap *ret, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;

	for (uint32_t i = 0; i < n; i++)
		buf_printf(&b, "u:%u:%u:1 ", first + i * step, first + i * step);
	return parse(buf_get(&b), ret, e);
}

TEST(idmap_takes_340_ranges_and_refuses_341_unless_they_merge)
{
	scoped_idmap struct idmap m = { 0 };
	struct err e = ERR_INIT;
	uint32_t id;

	REQUIRE(parse_many(340, 0, 2, &m, &e) == 0);
	CHECK_INT(m.uid.len, 340);
	CHECK(idmap_uid_seen(&m, 678, &id) && id == 678);
	CHECK(!idmap_uid_seen(&m, 679, &id) && !idmap_uid_seen(&m, 680, &id));
	idmap_done(&m);

	CHECK_INT(parse_many(341, 0, 2, &m, &e), -E2BIG);
	CHECK_HAS(e.what, "341 ranges of user ids");

	REQUIRE(parse_many(341, 0, 1, &m, &e) == 0);
	CHECK_INT(m.uid.len, 1);
	CHECK_INT(m.uid.items[0].count, 341);
}

TEST(idmap_refuses_a_text_that_the_kernel_would_not_take)
{
	/*
	 * "4000000000 4000000000 1\n" is 24 bytes: 170 of them are 4079 without the last newline,
	 * 171 are 4103.
	 */
	scoped_idmap struct idmap m = { 0 };
	struct err e = ERR_INIT;

	CHECK_INT(parse_many(170, 4000000000u, 2, &m, &e), 0);
	idmap_done(&m);
	CHECK_INT(parse_many(171, 4000000000u, 2, &m, &e), -E2BIG);
	CHECK_HAS(e.what, "has 4103 bytes");
}

TEST(idmap_several_texts_are_one_map_and_one_count_of_bytes)
{
	const char *const texts[] = { "u:0:1:1", "g:0:2:1 b:5:6:1", "b:6:7:x" };
	scoped_idmap struct idmap m = { 0 };
	scoped_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	REQUIRE(idmap_parse(texts, 2, NULL, &m, &e) == 0);
	idmap_print(&m, &b);
	CHECK_STR(buf_get(&b), "u:0:1:1;u:5:6:1;g:0:2:1;g:5:6:1");
	idmap_done(&m);
	CHECK_INT(idmap_parse(texts, 3, NULL, &m, &e), -EINVAL);
	CHECK_HAS(e.what, "(byte 30 of the map)");
	CHECK_INT(idmap_parse(texts, 0, NULL, &m, &e), -EINVAL);
	CHECK_INT(idmap_parse((const char *const[]){ "0:1:1", "" }, 2, NULL, &m, &e), -EINVAL);
}

TEST(idmap_of_one_kind_is_the_identity_for_the_other_unless_strict)
{
	const struct idmap_context strict = { .strict = true };
	scoped_idmap struct idmap m = { 0 };
	struct err e = ERR_INIT;
	const char *text = "u:1:2:3";
	uint32_t id;

	REQUIRE(parse(text, &m, &e) == 0);
	CHECK(m.gid_assumed);
	CHECK(idmap_gid_seen(&m, 4294967294u, &id) && id == 4294967294u);
	idmap_done(&m);
	CHECK_INT(idmap_parse(&text, 1, &strict, &m, &e), -EINVAL);
	CHECK_HAS(e.what, "covers only user ids");
	CHECK_HAS(e.hint, "g:DISK:SEEN:COUNT");

	text = "u:1:2:3 g:1:2:3";
	REQUIRE(idmap_parse(&text, 1, &strict, &m, &e) == 0);
	CHECK(!m.gid_assumed);
}

TEST(idmap_words_say_which_side_is_which)
{
	static const struct {
		const char *text, *words;
	} t[] = {
		{ "+100000", "disk 0-65535 is seen as 100000-165535" },
		{ "1000:0:1", "disk 1000 is seen as 0" },
		{ "0:5:1 7:9:2", "disk 0 is seen as 5, disk 7-8 is seen as 9-10" },
		{ "u:1000:0:1",
			"users: disk 1000 is seen as 0; groups: every id is seen as it is on "
			"disk" },
		{ "0:0:4294967295", "every id is seen as it is on disk" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		scoped_idmap struct idmap m = { 0 };
		scoped_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;

		REQUIRE(parse(t[i].text, &m, &e) == 0);
		idmap_print_words(&m, &b);
		CHECK_STR(buf_get(&b), t[i].words);
	}
}

TEST(idmap_reads_what_the_kernel_prints)
{
	static const struct {
		const char *uid, *gid;
		int r;
		const char *canonical;
	} t[] = {
		{ "         0     100000      65536\n", "0 100000 65536", 0, "b:0:100000:65536" },
		{ "0 0 1\n1 100000 5\n", "0 0 4294967295\n", 0,
			"u:0:0:1;u:1:100000:5;g:0:0:4294967295" },
		{ "", "0 0 1\n", -ENODATA, NULL },
		{ "0 0 1\n", "", -ENODATA, NULL },
		{ "0 4294967295 1\n", "0 0 1", -ENODATA, NULL },
		{ "0 0\n", "0 0 1", -EINVAL, NULL },
		{ "0 0 1 1\n", "0 0 1", -EINVAL, NULL },
		{ "0 0 1\n\n", "0 0 1", -EINVAL, NULL },
		{ "0 0 root\n", "0 0 1", -EINVAL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		scoped_idmap struct idmap m = { 0 };
		scoped_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;

		CHECK_INT(idmap_parse_kernel(t[i].uid, t[i].gid, &m, &e), t[i].r);
		if (!t[i].canonical)
			continue;
		idmap_print(&m, &b);
		CHECK_STR(buf_get(&b), t[i].canonical);
	}
}

TEST(idmap_tells_that_no_map_shows_several_owners_as_one)
{
	static const struct {
		const char *text, *hint;
	} rows[] = {
		{ "u:0:1001:1 u:1000:1001:1", "bindfs --map=0/1001:1000/1001 SOURCE" },
		{ "g:0:1001:1 g:1000:1001:1", "bindfs --map=@0/@1001:@1000/@1001 SOURCE" },
		{ "0:1001:1 1000:1001:1",
			"bindfs --map=0/1001:1000/1001:@0/@1001:@1000/@1001 SOURCE" },
		{ "u:0:0:10 u:20:5:10", "bindfs --map=5/5:20/5 SOURCE" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;

		CHECK_INT(parse(rows[i].text, &(struct idmap){ 0 }, &e), -EINVAL);
		CHECK_HAS(e.why, "no map can show two owners as one");
		CHECK_HAS(e.hint, rows[i].hint);
	}
	/* A range that is specified twice is something else. */
	CHECK_INT(parse("0:1:1 0:1:1", &(struct idmap){ 0 }, &(struct err){ 0 }), -EINVAL);
}
