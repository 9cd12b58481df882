/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names from archives have one normal form, stay below the root, and fit what Linux accepts. */

#include "../../lib/tar/tar_name.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "test.h"

TEST(tar_names_have_one_normal_form)
{
	static const struct {
		const char *raw, *want;
	} cases[] = {
		{ "a", "a" },
		{ "a/b", "a/b" },
		{ "/a/b", "a/b" },
		{ "./a", "a" },
		{ "a//b/", "a/b" },
		{ "a/./b/.", "a/b" },
		{ "", "" },
		{ ".", "" },
		{ "/", "" },
		{ ".//./", "" },
		{ "...", "..." },
		{ "..a/b..", "..a/b.." },
		{ ".wh.x", ".wh.x" },
		{ " \n\377", " \n\377" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;

		CHECK_INT(tar_name_normal(cases[i].raw, &b, &e), 0);
		CHECK_STR(buf_get(&b), cases[i].want);
	}
}

TEST(tar_names_that_leave_the_root_are_refused)
{
	static const char *const bad[] = { "..", "../a", "a/..", "a/../b", "/..", "./../a" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		scoped_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;

		CHECK_INT(tar_name_normal(bad[i], &b, &e), -EINVAL);
		CHECK_STR(e.on, bad[i]);
	}
}

/* "x/x/..." of n bytes. */
static char *long_name(size_t n)
{
	char *s = malloc(n + 1);

	REQUIRE(s);
	for (size_t i = 0; i < n; i++)
		s[i] = i % 2 ? '/' : 'x';
	s[n] = '\0';
	return s;
}

TEST(tar_names_may_be_as_long_as_linux_accepts)
{
	scoped_free char *fits = long_name(PATH_MAX - 1), *over = long_name(PATH_MAX + 1);
	scoped_free char *part = malloc(NAME_MAX + 2);
	scoped_buf struct buf b = BUF_INIT, after = BUF_INIT;
	struct err e = ERR_INIT;

	REQUIRE(part);
	CHECK_INT(tar_name_normal(fits, &b, &e), 0);
	CHECK_INT(b.len, PATH_MAX - 1);
	buf_str(&after, "some text");
	CHECK_INT(tar_name_normal(fits, &after, &e), 0); /* what ret has already does not count */
	CHECK_INT(tar_name_normal(over, &b, &e), -ENAMETOOLONG);
	CHECK_INT(tar_name_fits("f", "the target", fits, &e), 0);
	CHECK_INT(tar_name_fits("f", "the target", over, &e), -ENAMETOOLONG);
	CHECK_HAS(e.what, "the target is longer than 4095 bytes");

	memset(part, 'y', NAME_MAX + 1);
	part[NAME_MAX + 1] = '\0';
	CHECK_INT(tar_name_normal(part, &b, &e), -ENAMETOOLONG);
	part[NAME_MAX] = '\0';
	CHECK_INT(tar_name_normal(part, &b, &e), 0);
}
