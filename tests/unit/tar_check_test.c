/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tar_check refuses, and the facts that it reports about valid entries. */

#include "../../lib/tar/tar_check.h"

#include <stdio.h>
#include <string.h>

#include "make_tar.h"
#include "test.h"

/* Feed b in pieces of n bytes; the result must not depend on n. */
static int check(const struct buf *b, size_t n, struct tar_fact *ret, struct err *e)
{
	struct tar_check *t;
	int r = tar_check_new(NULL, NULL, &t, e);

	for (size_t at = 0; r == 0 && at < b->len; at += n)
		r = tar_check_feed(t, b->data + at, b->len - at < n ? b->len - at : n, e);
	if (r == 0)
		r = tar_check_end(t, e);
	if (r == 0 && !tar_check_next(t, ret))
		r = 1;
	tar_check_free(t);
	return r;
}

#define PATCH(off, s) .patch = { .at = off, .bytes = s, .n = sizeof(s) - 1 }

/* An entry that is refused, and a part of the message. */
struct refused_entry {
	struct tar_entry t;
	const char *says;
};

static void must_refuse(const struct refused_entry *c)
{
	const struct tar_entry list[] = { c->t, { .name = NULL } };
	scoped_buf struct buf b = tar_make(list);
	struct tar_fact f;

	for (size_t n = 1; n < 5000; n = n * 3 + 6) {
		struct err e = ERR_INIT;
		int r = check(&b, n, &f, &e);

		if (r >= 0 || (!strstr(e.what, c->says) && !strstr(e.why, c->says)))
			test_fail(__FILE__, __LINE__,
				"'%s', in pieces of %zu: %d, '%s' '%s', not '%s'", c->t.name, n, r,
				e.what, e.why, c->says);
	}
}

TEST(tar_check_refuses_header_fields_that_can_be_read_in_two_ways)
{
	static const struct refused_entry cases[] = {
		{ { "f", .bad_sum = true }, "checksum" },
		{ { "f", PATCH(108, "00009z9\0") }, "user id" },
		{ { "f", PATCH(108, "0000 17\0") }, "user id" },
		{ { "f", PATCH(108, "-000001\0") }, "user id" },
		{ { "f", PATCH(108, "\x80\0\0\0\xff\xff\xff\xff") }, "user id" },
		{ { "f", PATCH(116, "\x80\0\1\0\0\0\0\0") }, "group id" },
		{ { "f", PATCH(116, "\xff\xff\xff\xff\xff\xff\xff\xff") }, "group id" },
		{ { "f", PATCH(100, "0000x44\0") }, "mode" },
		{ { "f", PATCH(124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\0") }, "size" },
		{ { "f", PATCH(124, "\x80\0\0\0\x80\0\0\0\0\0\0\0") }, "size" },
		{ { "f", PATCH(136, "\x80\x80\0\0\0\0\0\0\0\0\0\0") }, "time" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_refuse(&cases[i]);
}

TEST(tar_check_refuses_pax_records_that_can_be_read_in_two_ways)
{
	static const struct refused_entry cases[] = {
		{ { "f", .pax = { "uid=4294967295" } }, "uid" },
		{ { "f", .pax = { "uid=4294967296" } }, "uid" },
		{ { "f", .pax = { "uid=-1" } }, "uid" },
		{ { "f", .pax = { "uid=0x10" } }, "uid" },
		{ { "f", .pax = { "uid=5e3" } }, "uid" },
		{ { "f", .pax = { "uid= 5" } }, "uid" },
		{ { "f", .pax = { "gid=root" } }, "gid" },
		{ { "f",
			  .pax = { "gid="
				   "0000000000000000000000000000000000000000000000000000000000005"
				   "x" } },
			"gid" },
		{ { "f", .pax = { "size=-1" } }, "size" },
		{ { "f", .pax = { "size=9223372036854775807" } }, "size" },
		{ { "f", .pax = { "mtime=1e9" } }, "mtime" },
		{ { "f", .pax = { "mtime=nan" } }, "mtime" },
		{ { "f", .pax = { "mtime=." } }, "mtime" },
		{ { "f", .pax = { "mtime=1.5x" } }, "mtime" },
		{ { "f", .pax = { "mtime=99999999999999999999" } }, "mtime" },
		{ { "f", .pax = { "GNU.sparse.offset=" } }, "GNU.sparse.offset" },
		{ { "f", .pax = { "hdrcharset=UTF-7" } }, "hdrcharset" },
		{ { "f", .pax = { "GNU.sparse.numblocks=0x1" } }, "GNU.sparse.numblocks" },
		{ { "f", .raw_pax = "9999 path=evil\n" }, "wrong length" },
		{ { "f", .raw_pax = "0 path=evil\n" }, "wrong length" },
		{ { "f", .raw_pax = "12 path=evil" }, "wrong length" },
		{ { "f", .raw_pax = "-5 a=b\n" }, "without a length" },
		{ { "f", .raw_pax = "path=evil\n" }, "without a length" },
		{ { "f", .raw_pax = "8 path1\n" }, "without a key" },
		{ { "f", .raw_pax = "6 =ab\n" }, "without a key" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_refuse(&cases[i]);
}

TEST(tar_check_refuses_types_that_do_not_match_the_entry)
{
	static const struct refused_entry cases[] = {
		{ { "d", .type = '5', .data = "body" }, "body" },
		{ { "l", .type = '1', .link = "x", .data = "body" }, "body" },
		{ { "l", .type = '2', .link = "x", .pax = { "size=5" } }, "body" },
		{ { "z", .type = 'Z' }, "type" },
		{ { "v", .type = 'V' }, "type" },
		{ { "s", .type = 'S' }, "sparse" },
		{ { "f", PATCH(257, "ustar  \0"), .type = 'S' }, "sparse" },
		{ { "c", .type = '3', .major = 4096 }, "device number" },
		{ { "b", .type = '4', .minor = 1 << 20 }, "device number" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_refuse(&cases[i]);
}

TEST(tar_check_reports_what_headers_say)
{
	static const struct {
		struct tar_entry t;
		struct tar_fact f;
	} good[] = {
		{ { "f", .uid = 07777777, .gid = 17, .mode = 0104751, .mtime = 9 },
			{ .uid = 07777777, .gid = 17, .mode = 04751, .sec = 9 } },
		{ { "f", PATCH(108, "\x80\0\0\0\xff\xff\xff\xfe") },
			{ .uid = 4294967294, .mode = 0644 } },
		{ { "f", PATCH(108, "    17 \0") }, { .uid = 017, .mode = 0644 } },
		{ { "f", PATCH(108, "        ") }, { .mode = 0644 } },
		{ { "f", PATCH(108, "17\0rubbi") }, { .uid = 017, .mode = 0644 } },
		{ { "f", PATCH(136, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe") },
			{ .sec = -2, .mode = 0644 } },
		{ { "f", .pax = { "uid=5", "uid=6" } }, { .uid = 6, .mode = 0644 } },
		{ { "f", .pax = { "mtime=-1.25" } },
			{ .sec = -2, .nsec = 750000000, .mode = 0644 } },
		{ { "f", .pax = { "mtime=-86400" } }, { .sec = -86400, .mode = 0644 } },
		{ { "f", .pax = { "mtime=-0.000000001" } },
			{ .sec = -1, .nsec = 999999999, .mode = 0644 } },
		{ { "f", .pax = { "mtime=16.1234567899999" } },
			{ .sec = 16, .nsec = 123456789, .mode = 0644 } },
		{ { "f", .pax = { "mtime=16.5" } },
			{ .sec = 16, .nsec = 500000000, .mode = 0644 } },
		{ { "f", .data = "12345" }, { .size = 5, .mode = 0644 } },
		{ { "f", .pax = { "comment=\n12 path=evil\n" } }, { .mode = 0644 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const struct tar_entry list[] = { good[i].t, { .name = NULL } };
		scoped_buf struct buf b = tar_make(list);
		struct err e = ERR_INIT;
		struct tar_fact f;

		if (check(&b, 700, &f, &e) != 0) {
			test_fail(__FILE__, __LINE__, "%zu: %s %s", i, e.what, e.why);
			continue;
		}
		CHECK_INT(f.uid, good[i].f.uid);
		CHECK_INT(f.gid, good[i].f.gid);
		CHECK_INT(f.mode, good[i].f.mode);
		CHECK_INT(f.sec, good[i].f.sec);
		CHECK_INT(f.nsec, good[i].f.nsec);
		CHECK_INT(f.size, good[i].f.size);
	}
}

TEST(tar_check_knows_where_an_archive_may_end)
{
	static const struct tar_entry list[] = { { "a", .data = "content" }, { .name = "b" },
		{ .name = NULL } };
	scoped_buf struct buf b = tar_make(list);
	size_t whole = b.len;

	for (b.len = 0; b.len <= whole; b.len++) {
		struct err e = ERR_INIT;
		struct tar_fact f;
		int r = check(&b, 512, &f, &e);
		/* It may end after a body, between entries, and anywhere after a block of zeros. */
		bool fine = b.len == 0 || (b.len >= 512 + 7 && b.len <= 1024) || b.len == 1536 ||
			b.len >= 2048;

		if ((r >= 0) != fine)
			test_fail(__FILE__, __LINE__, "cut at %zu: %d", b.len, r);
	}
}

/* POSIX.1 pax: a global header is for all entries that follow, and there need be none. */
TEST(tar_check_lets_an_archive_end_after_a_global_header)
{
	static const struct {
		struct tar_entry list[4];
		bool fine;
	} cases[] = {
		{ { { "g", .type = 'g', .data = "7 a=bc\n" } }, true },
		{ { { "g", .type = 'g' } }, true },
		{ { { .name = "f" }, { "g", .type = 'g', .data = "7 a=bc\n" } }, true },
		{ { { "g", .type = 'g', .data = "7 a=bc\n" }, { "g", .type = 'g' } }, true },
		{ { { "g", .type = 'g' }, { "x", .type = 'x', .data = "7 a=bc\n" } }, false },
		{ { { "x", .type = 'x', .data = "7 a=bc\n" }, { "g", .type = 'g' } }, false },
		{ { { "L", .type = 'L', .data = "long" }, { "g", .type = 'g' } }, false },
		{ { { "g", .type = 'g' }, { "K", .type = 'K', .data = "long" } }, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf b = tar_make(cases[i].list);

		/* With blocks that end the archive, with one, without. */
		for (int cut = 0; cut < 3; cut++, b.len -= 512) {
			struct err e = ERR_INIT;
			struct tar_fact f;

			if ((check(&b, 512, &f, &e) >= 0) != cases[i].fine)
				test_fail(__FILE__, __LINE__, "%zu: %s", i, e.what);
		}
	}
}

TEST(tar_check_takes_what_follows_a_global_header_for_no_disk_image)
{
	static const struct tar_entry list[] = { { "g", .type = 'g' }, { .name = NULL } };
	scoped_buf struct buf b = tar_make(list);
	struct tar_check *t;
	bool more;

	buf_str(&b, "rest");
	REQUIRE(tar_check_new(NULL, NULL, &t, NULL) == 0);
	REQUIRE(tar_check_feed(t, b.data, b.len, NULL) == 0);
	CHECK(!tar_check_no_archive(t, &more));
	CHECK(!more);
	tar_check_free(t);
}

/* An archive without entries is one of zeros: a filesystem's image begins with some, too. */
TEST(tar_check_tells_zeros_from_what_only_begins_with_them)
{
	static const struct tar_entry list[] = { { .name = "a" }, { .name = NULL } };
	static const struct {
		size_t zeros, rest;
		bool entry, none, more;
	} cases[] = {
		{ 1024, 0, false, false, true },
		{ 512, 1, false, true, false },
		{ 1024, 1, false, true, false },
		{ 1 << 20, 0, false, false, false },
		{ 100000, 600, false, true, false },
		{ 0, 0, true, false, false },
		{ 1024, 600, true, false, false },
		{ 0, 0, false, false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf b = BUF_INIT;
		struct tar_check *t;
		bool more;

		if (cases[i].entry)
			b = tar_make(list);
		for (size_t k = 0; k < cases[i].zeros + cases[i].rest; k++)
			buf_char(&b, k < cases[i].zeros ? '\0' : 'x');
		REQUIRE(tar_check_new(NULL, NULL, &t, NULL) == 0);
		for (size_t at = 0; at < b.len; at += 1000)
			REQUIRE(tar_check_feed(t, b.data + at,
					b.len - at < 1000 ? b.len - at : 1000, NULL) == 0);
		CHECK_INT(tar_check_no_archive(t, &more), cases[i].none);
		CHECK_INT(more, cases[i].more);
		tar_check_free(t);
	}
}

TEST(tar_check_refuses_extension_headers_that_contradict_each_other)
{
	static const struct {
		struct tar_entry list[4];
		bool fine;
	} cases[] = {
		{ { { "x", .type = 'x', .data = "7 a=bc\n" }, { .name = "f" } }, true },
		{ { { "x", .type = 'x', .data = "7 a=bc\n" },
			  { "x", .type = 'x', .data = "7 a=bc\n" }, { .name = "f" } },
			false },
		{ { { "L", .type = 'L', .data = "long" }, { .name = "f" } }, true },
		{ { { "L", .type = 'L', .data = "lo\0ng", .size = 5 }, { .name = "f" } }, false },
		{ { { "L", .type = 'L' }, { .name = "f" } }, false },
		{ { { "L", .type = 'L', .data = "long" }, { "f", .pax = { "path=other" } } },
			false },
		{ { { "L", .type = 'L', .data = "long" }, { "f", .pax = { "uid=1" } } }, true },
		{ { { "K", .type = 'K', .data = "long" },
			  { "s", .type = '2', .link = "x", .pax = { "linkpath=other" } } },
			false },
		{ { { "g", .type = 'g', .data = "7 a=bc\n" },
			  { "g", .type = 'g', .data = "7 a=bc\n" }, { .name = "f" } },
			true },
		{ { { "g", .type = 'g', .data = "8 a=bc\n" }, { .name = "f" } }, false },
		{ { { .name = "f" }, { "x", .type = 'x', .data = "7 a=bc\n" } }, false },
		{ { { "x", .type = 'x', PATCH(124, "00010000001\0") }, { .name = "f" } }, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf b = tar_make(cases[i].list);
		struct err e = ERR_INIT;
		struct tar_fact f;

		if ((check(&b, 512, &f, &e) == 0) != cases[i].fine)
			test_fail(__FILE__, __LINE__, "%zu: %s", i, e.what);
	}
}

/* The checksum of a header, of bytes that are taken for unsigned or for signed ones. */
static int sum_of(const char *header, bool is_signed)
{
	int sum = 0;

	for (size_t i = 0; i < 512; i++) {
		const char c = i >= 148 && i < 156 ? ' ' : header[i];

		sum += is_signed ? (signed char)c : (unsigned char)c;
	}
	return sum;
}

/* POSIX sums unsigned bytes; some old programs summed signed ones. */
TEST(both_sums_of_a_header_are_accepted_and_no_other)
{
	static const char *const names[] = { "plain", "\xff\x80\xc3\xa9",
		"\x80\x81\x82\x83\x84\x85\x86\x87\x88\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct tar_entry list[] = { { .name = names[i] }, { .name = NULL } };

		for (int by = -256; by <= 256; by += by == -256 || by == 255 ? 1 : 17)
			for (int is_signed = 0; is_signed < 2; is_signed++) {
				scoped_buf struct buf b = tar_make(list);
				const int sum = sum_of(b.data, is_signed) + by;
				const bool fits =
					sum == sum_of(b.data, false) || sum == sum_of(b.data, true);
				struct err e = ERR_INIT;
				struct tar_fact f;

				(void)snprintf(b.data + 148, 8, "%07o", (unsigned)sum);
				CHECK_INT(check(&b, 512, &f, &e) == 0, fits);
			}
	}
}
