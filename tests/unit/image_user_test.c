/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who an image's User is follows from the image's files alone, and no number is ever taken for
 * another.
 */

#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "../../lib/base/buf.h"
#include "../../lib/image/image_user.h"

static const char passwd[] =
	"root:x:0:0:root:/root:/bin/sh\n# a comment\n\n"
	"bob:x:1000:1001:Bob:/home/bob:/bin/sh\nbob:x:7:7::/:\nfour:x:4:4::/"
	":\nmax:x:4294967294:4294967294::/:\n"
	"minus:x:-1:5::/:\nminus1:x:1:-1::/:\nhuge:x:4294967296:5::/"
	":\nhuger:x:18446744073709551616:5::/:\nnone:x:4294967295:1::/:\nno end:x:9:9::/";
static const char group[] = "root:x:0:\nbob:x:1001:\nextra:x:2000:eve,bob\nagain:x:2000:bob\nown:x:"
			    "1001:bob\nmore:x:2001:bob,bob\n"
			    "bobby:x:3000:bobby,xbob\nbad:x:4294967296:\nends:x:2002:bob";

/* "UID:GID GROUPS", or the error's name. */
static const char *resolve(const char *word, const char *p, const char *g)
{
	static char text[512];
	static struct err e;
	scoped_image_user struct image_user u = { .uid = 0 };
	char name[16];
	int r, n;

	e = ERR_INIT;
	r = image_user_resolve(word, p, g, &u, &e);
	if (r < 0) {
		CHECK(e.what[0]);
		(void)snprintf(text, sizeof(text), "%s", err_name(-r, name));
		return text;
	}
	n = snprintf(text, sizeof(text), "%u:%u", u.uid, u.gid);
	for (size_t i = 0; i < u.groups.len; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %u", u.groups.items[i]);
	return text;
}

TEST(a_user_is_who_the_images_files_say)
{
	static const struct {
		const char *word, *want;
	} cases[] = {
		{ "", "0:0" },
		{ "root", "0:0" },
		{ "0", "0:0" },
		{ ":", "0:0" },
		{ ":5", "0:5" },
		{ "bob", "1000:1001 2000 2001 2002" },
		{ "1000", "1000:1001 2000 2001 2002" },
		{ "bob:", "1000:1001 2000 2001 2002" },
		{ "bob:extra", "1000:2000" },
		{ "bob:42", "1000:42" },
		{ "1000:0", "1000:0" },
		{ "555", "555:0" },
		{ "555:more", "555:2001" },
		{ "7", "7:7 1001 2000 2001 2002" },
		{ "no end", "9:9" },
		{ "max", "4294967294:4294967294" },
		{ "4294967294", "4294967294:4294967294" },
		{ "eve", "ENOENT" },
		{ "bob:eve", "ENOENT" },
		{ "Bob", "ENOENT" },
		{ " bob", "ENOENT" },
		{ "-1", "ENOENT" },
		{ "0x0", "ENOENT" },
		{ "4294967295", "ERANGE" },
		{ "4294967296", "ERANGE" },
		{ "18446744073709551616", "ERANGE" },
		{ "0:4294967295", "ERANGE" },
		{ "minus", "ENOENT" },
		{ "minus1", "ENOENT" },
		{ "huge", "ENOENT" },
		{ "huger", "ENOENT" },
		{ "bob:bad", "ENOENT" },
		{ "none", "ERANGE" },
		{ "a comment", "ENOENT" },
		{ "# a comment", "ENOENT" },
		{ "bob:extra:x", "ENOENT" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *got = resolve(cases[i].word, passwd, group);

		if (strcmp(got, cases[i].want) != 0)
			test_fail(__FILE__, __LINE__, "'%s' is %s, not %s", cases[i].word, got,
				cases[i].want);
	}
}

TEST(without_files_there_are_numbers_only)
{
	CHECK_STR(resolve("", "", ""), "0:0");
	CHECK_STR(resolve("12:34", "", ""), "12:34");
	CHECK_STR(resolve("root", "", ""), "ENOENT");
	CHECK_STR(resolve("0:root", "", ""), "ENOENT");
}

TEST(long_lines_and_many_members_are_read)
{
	scoped_buf struct buf g = BUF_INIT;

	buf_str(&g, "many:x:5:");
	for (int i = 0; i < 200000; i++)
		buf_str(&g, "a,");
	buf_str(&g, "bob\nlast:x:6:bob\n");
	CHECK_STR(resolve("bob", passwd, buf_get(&g)), "1000:1001 5 6");
}
