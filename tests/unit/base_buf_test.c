/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/vec.h"

TEST(buf_is_always_a_string)
{
	scoped_buf struct buf b = BUF_INIT;
	scoped_free char *given = NULL;

	CHECK_STR(buf_get(&b), "");
	buf_add(&b, "", 0);
	CHECK_STR(buf_get(&b), "");
	for (int i = 0; i < 1000; i++)
		buf_char(&b, 'x');
	CHECK_INT(strlen(buf_get(&b)), 1000);
	buf_reset(&b);
	CHECK_STR(buf_get(&b), "");
	buf_printf(&b, "%d %s", 42, "words");
	buf_add(&b, "a\0b", 3);
	CHECK_INT(b.len, 11);
	given = buf_take(&b);
	CHECK_STR(given, "42 wordsa");
	CHECK_INT(b.len, 0);
	CHECK_STR(buf_get(&b), "");
}

/* Every length around a boundary of growth: one byte too few shows under the address sanitizer. */
TEST(buf_grows_at_every_length)
{
	char text[300];

	memset(text, 'y', sizeof(text));
	for (size_t first = 0; first < 140; first++) {
		for (size_t more = 0; more < 140; more++) {
			struct buf b = BUF_INIT;

			buf_add(&b, text, first);
			buf_printf(&b, "%.*s", (int)more, text);
			if (b.len != first + more || strlen(buf_get(&b)) != b.len)
				test_fail(
					__FILE__, __LINE__, "%zu + %zu is %zu", first, more, b.len);
			buf_done(&b);
		}
	}
}

TEST(buf_that_got_no_memory_stays_so)
{
	struct buf b = { .oom = true };

	buf_str(&b, "x");
	buf_printf(&b, "%d", 1);
	CHECK(!buf_get(&b));
	CHECK(!buf_take(&b));
	buf_done(&b);
	CHECK_STR(buf_get(&b), "");
}

TEST(utf8_len_knows_the_edges_of_unicode)
{
	static const struct {
		const char *s;
		size_t n, want;
	} cases[] = {
		{ "", 0, 0 },
		{ "a", 1, 1 },
		{ "\0", 1, 1 },
		{ "\x7f", 1, 1 },
		{ "\x80", 1, 0 },
		{ "\xbf", 1, 0 }, /* a continuation by itself */
		{ "\xc0\x80", 2, 0 },
		{ "\xc1\xbf", 2, 0 }, /* overlong */
		{ "\xc2\x80", 2, 2 },
		{ "\xdf\xbf", 2, 2 },
		{ "\xe0\x9f\xbf", 3, 0 },
		{ "\xe0\xa0\x80", 3, 3 }, /* U+07FF overlong, U+0800 */
		{ "\xed\x9f\xbf", 3, 3 },
		{ "\xed\xa0\x80", 3, 0 }, /* U+D7FF, the first surrogate */
		{ "\xed\xbf\xbf", 3, 0 },
		{ "\xee\x80\x80", 3, 3 }, /* the last surrogate, U+E000 */
		{ "\xef\xbf\xbf", 3, 3 },
		{ "\xf0\x8f\xbf\xbf", 4, 0 },
		{ "\xf0\x90\x80\x80", 4, 4 },
		{ "\xf4\x8f\xbf\xbf", 4, 4 },
		{ "\xf4\x90\x80\x80", 4, 0 }, /* U+10FFFF and beyond */
		{ "\xf5\x80\x80\x80", 4, 0 },
		{ "\xfe", 1, 0 },
		{ "\xff", 1, 0 },
		{ "\xe2\x82\xac", 2, 0 },
		{ "\xe2\x82", 2, 0 },
		{ "\xc3", 1, 0 }, /* cut short */
		{ "\xc3\x28", 2, 0 },
		{ "\xe2\x28\xa1", 3, 0 },
		{ "\xe2\x82\x28", 3, 0 },
		{ "\xf0\x90\x28\x80", 4, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (utf8_len(cases[i].s, cases[i].n) != cases[i].want)
			test_fail(__FILE__, __LINE__, "case %zu: %zu, not %zu", i,
				utf8_len(cases[i].s, cases[i].n), cases[i].want);
}

TEST(buf_escaped_leaves_nothing_a_terminal_obeys)
{
	static const struct {
		const char *in;
		size_t n;
		const char *want;
	} cases[] = {
		{ "plain \xc3\xa4 \xf0\x9f\x98\x80", 13, "plain \xc3\xa4 \xf0\x9f\x98\x80" },
		{ "a\nb\tc\\d", 7, "a\\nb\\tc\\\\d" }, { "\x1b[31m", 5, "\\x1b[31m" },
		{ "\0", 1, "\\x00" }, { "\x7f", 1, "\\x7f" }, { "\r\b", 2, "\\x0d\\x08" },
		{ "\xc2\x9b"
		  "31m",
			5, "\\xc2\\x9b31m" }, /* U+009B is CSI in eight bits */
		{ "\xc2\xa0", 2, "\xc2\xa0" }, { "\xff\xc3", 2, "\\xff\\xc3" },
		{ "\xe2\x80\xae"
		  "txt",
			6, "\\xe2\\x80\\xaetxt" }, /* right-to-left override */
		{ "\xe2\x81\xa6", 3, "\\xe2\\x81\\xa6" }, { "\xe2\x80\x8f", 3, "\\xe2\\x80\\x8f" },
		{ "\xe2\x80\xa6", 3, "\xe2\x80\xa6" }, /* an ellipsis is harmless */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf b = BUF_INIT;

		buf_escaped(&b, cases[i].in, cases[i].n);
		CHECK_STR(buf_get(&b), cases[i].want);
	}
}

TEST(vec_grows_and_strv_owns_its_strings)
{
	VEC(size_t) v = { 0 };
	struct strv s = { 0 };
	char word[16];

	for (size_t i = 0; i < 1000; i++)
		REQUIRE(VEC_ADD(&v, i * i) == 0);
	for (size_t i = 0; i < 1000; i++)
		if (v.items[i] != i * i)
			test_fail(__FILE__, __LINE__, "item %zu", i);
	VEC_DONE(&v);
	CHECK(!v.items && !v.len && !v.cap);

	for (int i = 0; i < 20; i++) {
		(void)snprintf(word, sizeof(word), "word %d", i);
		REQUIRE(strv_add(&s, word) == 0);
	}
	CHECK_STR(s.items[0], "word 0");
	CHECK_STR(s.items[19], "word 19");
	strv_done(&s);
}

TEST(names_of_more_than_230_bytes_lose_their_middle)
{
	static const char *const letters[] = { "n", "\303\244", "\342\202\254",
		"\360\237\230\200" };

	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		for (size_t n = 1; n < 300; n++) {
			scoped_buf struct buf name = BUF_INIT, b = BUF_INIT, safe = BUF_INIT;

			buf_str(&name, "head");
			for (size_t k = 0; k < n; k++)
				buf_str(&name, letters[i]);
			buf_str(&name, "tail");
			REQUIRE(buf_get(&name));
			buf_name(&b, buf_get(&name));
			REQUIRE(buf_get(&b));
			if (name.len <= 230) {
				CHECK_STR(buf_get(&b), buf_get(&name));
				continue;
			}
			CHECK(b.len > 215 && b.len <= 223);
			CHECK(!strncmp(buf_get(&b), "head", 4));
			CHECK_STR(buf_get(&b) + b.len - 4, "tail");
			CHECK(strstr(buf_get(&b), "..."));
			/* No character was torn. */
			buf_escaped(&safe, buf_get(&b), b.len);
			CHECK_STR(buf_get(&safe), buf_get(&b));
		}
}

TEST(a_word_for_a_shell_is_quoted_when_it_has_to_be)
{
	static const struct {
		const char *word, *want;
	} cases[] = {
		{ "image:debian", "image:debian" },
		{ "+100000", "+100000" },
		{ "", "''" },
		{ "a b", "'a b'" },
		{ "~", "'~'" },
		{ "$HOME", "'$HOME'" },
		{ "it's", "'it'\"'\"'s'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf b = BUF_INIT;

		buf_shell_word(&b, cases[i].word);
		CHECK_STR(buf_get(&b), cases[i].want);
	}
}
