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

/* layer.md, "Whiteouts": the prefix is that of a name that is never created. */
TEST(marks_do_not_count_for_the_length_of_a_name)
{
	static const struct {
		const char *head; /* before n bytes */
		size_t n;
		const char *tail;
		int r;
	} cases[] = {
		{ ".wh.", NAME_MAX, "", 0 },
		{ ".wh.", NAME_MAX + 1, "", -ENAMETOOLONG },
		{ "d/.wh.", NAME_MAX, "", 0 },
		{ "./d/.wh.", NAME_MAX, "/./", 0 },
		{ "d/.wh.", NAME_MAX, "/x", -ENAMETOOLONG },
		{ "d/.wh.", NAME_MAX, "/..x", -ENAMETOOLONG },
		{ "d/.wh.", NAME_MAX - 4, "/x", 0 },
		{ "d/.wx.", NAME_MAX, "", -ENAMETOOLONG },
		{ "", NAME_MAX + 1, "/.wh.x", -ENAMETOOLONG },
	};
	scoped_free char *longest = long_name(PATH_MAX - 1);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf raw = BUF_INIT, b = BUF_INIT, again = BUF_INIT;
		struct err e = ERR_INIT;

		buf_str(&raw, cases[i].head);
		for (size_t k = 0; k < cases[i].n; k++)
			buf_char(&raw, 'n');
		buf_str(&raw, cases[i].tail);
		REQUIRE(buf_get(&raw));
		CHECK_INT(tar_name_marked(buf_get(&raw), ".wh.", &b, &e), cases[i].r);
		if (cases[i].n >= NAME_MAX)
			CHECK_INT(tar_name_normal(buf_get(&raw), &again, &e), -ENAMETOOLONG);
	}

	/* ".../.wh.x": the path has four bytes more than one can have. */
	for (int more = 0; more < 2; more++) {
		scoped_buf struct buf raw = BUF_INIT, b = BUF_INIT;
		struct err e = ERR_INIT;

		buf_add(&raw, longest, PATH_MAX - 2);
		buf_str(&raw, more ? ".wh.xx" : ".wh.x");
		REQUIRE(buf_get(&raw));
		CHECK_INT(tar_name_marked(buf_get(&raw), ".wh.", &b, &e), more ? -ENAMETOOLONG : 0);
		CHECK_INT(tar_name_normal(buf_get(&raw), &b, &e), -ENAMETOOLONG);
	}
}
