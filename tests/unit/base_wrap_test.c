/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <string.h>

#include "../../lib/base/wrap.h"

static const char *wrapped(const char *text, size_t at, size_t indent, size_t width)
{
	static struct buf b;

	buf_done(&b);
	b = BUF_INIT;
	wrap_text(&b, text, &(struct wrap){ at, indent, width });
	return buf_get(&b);
}

TEST(wrap_breaks_between_words_only)
{
	static const struct {
		const char *text;
		size_t at, indent, width;
		const char *want;
	} cases[] = {
		{ "one two three", 0, 0, 0, "one two three" },
		{ "one two three", 0, 0, 13, "one two three" },
		{ "one two three", 0, 0, 12, "one two\nthree" },
		{ "one two three", 0, 2, 7, "one two\n  three" },
		{ "one two three", 5, 2, 8, "one\n  two\n  three" },
		{ "one two three", 6, 2, 8, "\n  one\n  two\n  three" },
		{ "a-word-that-is-too-long b", 0, 0, 8, "a-word-that-is-too-long\nb" },
		{ "\xc3\xa4\xc3\xa4 \xc3\xa4\xc3\xa4", 0, 0, 5,
			"\xc3\xa4\xc3\xa4 \xc3\xa4\xc3\xa4" },
		{ "x [-a A] y", 0, 0, 8, "x [-a A]\ny" },
		{ "x [-a A -b B] y", 0, 0, 8, "x [-a A\n-b B] y" },
		{ "\033[1;31mone\033[0m two three", 0, 0, 8, "\033[1;31mone\033[0m two\nthree" },
		{ "\033[31mone two\033[0m", 0, 0, 3, "\033[31mone\ntwo\033[0m" },
		{ "\033[31m one", 0, 0, 5, "\033[31m one" },
		{ "\033[31", 0, 0, 5, "\033[31" },
		{ "", 3, 0, 5, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK_STR(wrapped(cases[i].text, cases[i].at, cases[i].indent, cases[i].width),
			cases[i].want);
}

TEST(wrap_exceeds_no_width_but_for_long_words)
{
	static const char text[] = "Tables, help and progress fit a terminal of 20 columns, or of "
				   "10, or of any number of columns at all.";

	for (size_t width = 8; width < 120; width++) {
		for (size_t indent = 0; indent < width; indent += 3) {
			const char *s = wrapped(text, 0, indent, width);

			while (*s) {
				size_t n = strcspn(s, "\n");

				size_t blank = strspn(s, " ");

				CHECK(n <= width || !memchr(s + blank, ' ', n - blank));
				s += n;
				s += *s == '\n';
			}
		}
	}
}

TEST(wrap_cut_keeps_characters_whole)
{
	CHECK_INT(wrap_cut("abc", 3, 2), 2);
	CHECK_INT(wrap_cut("abc", 3, 9), 3);
	CHECK_INT(wrap_cut("\xc3\xa4\xc3\xa4", 4, 1), 2);
	CHECK_INT(wrap_cut("a", 1, 0), 0);
	CHECK_INT(wrap_columns("\xc3\xa4x"), 2);
}
