/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A value is added to the text of a TOML document, and nothing else of it changes. */

#include "test.h"

#include <errno.h>
#include <stdlib.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/toml.h"

static bool has(const struct toml_doc *t, const char *path, const char *value)
{
	scoped_strv struct strv v = { 0 };
	struct err e = ERR_INIT;

	return toml_strs(t, path, "t.conf", &v, &e) == 0 && strv_has(&v, value);
}

#define PATH "storage.options.additionalimagestores"

static void need_toml(void)
{
	scoped_toml struct toml_doc *t = NULL;

	if (toml_parse("", 0, "t.conf", &t, NULL) == -ENOTSUP)
		test_skip("built without TOML");
}

static struct toml_doc *parsed(const char *text)
{
	struct toml_doc *t = NULL;
	struct err e = ERR_INIT;

	REQUIRE(toml_parse(text, strlen(text), "t.conf", &t, &e) == 0);
	return t;
}

TEST(toml_a_value_is_added_and_nothing_else_changes)
{
	static const struct {
		const char *text, *with;
	} cases[] = {
		{ "", "[storage.options]\nadditionalimagestores = [\"/v\"]\n" },
		{ "a = 1", "a = 1\n\n[storage.options]\nadditionalimagestores = [\"/v\"]\n" },
		{ "[storage]\ndriver = \"overlay\" # kept\n",
			"[storage]\ndriver = \"overlay\" # kept\n\n[storage.options]\n"
			"additionalimagestores = [\"/v\"]\n" },
		{ "[storage.options] # x\n  size = \"1G\"\n[other]\n",
			"[storage.options] # x\nadditionalimagestores = [\"/v\"]\n  size = \"1G\"\n"
			"[other]\n" },
		{ "[storage.options]", "[storage.options]\nadditionalimagestores = [\"/v\"]\n" },
		{ "[storage.options.overlay]\nmount_program = \"/f\"\n",
			"[storage.options.overlay]\nmount_program = \"/f\"\n\n[storage.options]\n"
			"additionalimagestores = [\"/v\"]\n" },
		{ "[storage.options]\nadditionalimagestores = []\n",
			"[storage.options]\nadditionalimagestores = [\"/v\"]\n" },
		{ "[storage.options]\nadditionalimagestores = [ # none\n]\n",
			"[storage.options]\nadditionalimagestores = [\"/v\" # none\n]\n" },
		{ "[storage.options]\nadditionalimagestores = [\"/a\"] # b\n",
			"[storage.options]\nadditionalimagestores = [\"/a\", \"/v\"] # b\n" },
		{ "[storage.options]\nadditionalimagestores = [\n  '/\xc3\xa4', # \xe2\x82\xac\n"
		  "  '/b', # c\n]\n",
			"[storage.options]\nadditionalimagestores = [\n  '/\xc3\xa4', # "
			"\xe2\x82\xac\n  '/b', \"/v\", # c\n]\n" },
		{ "storage.options.additionalimagestores = ['/a']\n",
			"storage.options.additionalimagestores = ['/a', \"/v\"]\n" },
		{ "storage.options.size = '1'\n",
			"storage.options.additionalimagestores = [\"/v\"]\n"
			"storage.options.size = '1'\n" },
		{ "[storage]\noptions.size = '1'\n[x]\n",
			"[storage]\noptions.additionalimagestores = [\"/v\"]\noptions.size = '1'\n"
			"[x]\n" },
		{ "[storage]\noptions = { size = '1' }\n",
			"[storage]\noptions = { additionalimagestores = [\"/v\"], size = '1' }\n" },
		{ "storage = { options = {} }\n",
			"storage = { options = { additionalimagestores = [\"/v\"] } }\n" },
		{ "[storage.options]\r\nsize = '1'\r\n",
			"[storage.options]\r\nadditionalimagestores = [\"/v\"]\nsize = '1'\r\n" },
		{ "x = \"\"\"\n[storage.options]\n\"\"\"\n",
			"x = \"\"\"\n[storage.options]\n\"\"\"\n\n[storage.options]\n"
			"additionalimagestores = [\"/v\"]\n" },
	};

	need_toml();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_toml struct toml_doc *t = parsed(cases[i].text), *again = NULL;
		scoped_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;

		CHECK(!has(t, PATH, "/v"));
		if (CHECK(toml_add_str(t, PATH, "/v", "t.conf", &b, &e) == 0))
			CHECK_STR(buf_get(&b), cases[i].with);
		again = parsed(buf_get(&b));
		CHECK(has(again, PATH, "/v"));
	}
}

TEST(toml_a_value_is_replaced_and_nothing_else_changes)
{
	static const struct {
		const char *text, *with;
	} cases[] = {
		{ "[storage.options]\nadditionalimagestores = [\"/o\"]\n",
			"[storage.options]\nadditionalimagestores = [\"/v\"]\n" },
		{ "[storage.options]\nadditionalimagestores = [ '/a', '/o', # \xe2\x82\xac /o\n"
		  "\"/o\" ]\nx = '/o'\n",
			"[storage.options]\nadditionalimagestores = [ '/a', \"/v\", # "
			"\xe2\x82\xac /o\n\"/o\" ]\nx = '/o'\n" },
		{ "[storage.options]\nadditionalimagestores = [ '\xe2\x82\xac', '''/o''' ]",
			"[storage.options]\nadditionalimagestores = [ '\xe2\x82\xac', \"/v\" ]" },
		{ "storage = { options = { additionalimagestores = [\"\\u002fo\"] } }\n",
			"storage = { options = { additionalimagestores = [\"/v\"] } }\n" },
	};

	static const struct toml_replacement good = { PATH, "/o", "/v" },
					     none = { PATH, "/none", "/v" },
					     bad = { PATH, "/o", "\n" };

	need_toml();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_toml struct toml_doc *t = parsed(cases[i].text);
		scoped_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;

		if (CHECK(toml_replace_str(t, &good, "t.conf", &b, &e) == 0))
			CHECK_STR(buf_get(&b), cases[i].with);
		buf_reset(&b);
		CHECK_INT(toml_replace_str(t, &none, "t.conf", &b, &e), -EINVAL);
		CHECK_HAS(e.what, "\"/none\" cannot be replaced by \"/v\" in " PATH);
		CHECK_INT(toml_replace_str(t, &bad, "t.conf", &b, &e), -EINVAL);
	}
}

TEST(toml_what_cannot_be_added_to_is_refused)
{
	static const char *const bad[] = { "storage = 1\n", "[storage]\noptions = 'x'\n",
		"[storage.options]\nadditionalimagestores = '/a'\n",
		"[storage.options]\nadditionalimagestores = [1]\n", "[[storage.options]]\n" };

	need_toml();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		scoped_toml struct toml_doc *t = parsed(bad[i]);
		scoped_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;

		CHECK_INT(toml_add_str(t, PATH, "/v", "t.conf", &b, &e), -EINVAL);
		CHECK_HAS(e.what, "cannot be added to " PATH);
		CHECK_INT(b.len, 0);
	}
}

TEST(toml_values_that_would_need_escapes_are_refused)
{
	static const char *const bad[] = { "/a\"", "/a\\", "/a\n", "/a\x7f", "/\x1b[m" };
	scoped_toml struct toml_doc *t = NULL;

	need_toml();
	t = parsed("");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		scoped_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;

		CHECK_INT(toml_add_str(t, PATH, bad[i], "t.conf", &b, &e), -EINVAL);
		CHECK_INT(toml_print_str("key", bad[i], "t.conf", &b, &e), -EINVAL);
	}
}

TEST(toml_faults_are_reported_with_their_line)
{
	static const struct {
		const char *text, *line;
	} bad[] = { { "a = 1\nb\n", "line 2" }, { "[x\n", "line 1" },
		{ "a = 1\na = 2\n", "line 2" }, { "\na = \"\x1b\"\n", "line 2" },
		{ "a = \"\xff\"\n", "line 1" }, { "# \x01\n", "line 1" },
		{ "a = 1\n\n[=]\nb = 1\n", "line 3" }, { "[.a]", "line 1" },
		{ "a = 1\n\xc3\xa4 = 1\n", "line 2" } };

	need_toml();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct toml_doc *t = NULL;
		struct err e = ERR_INIT;

		CHECK_INT(toml_parse(bad[i].text, strlen(bad[i].text), "t.conf", &t, &e), -EINVAL);
		CHECK_STR(e.on, "t.conf");
		CHECK_HAS(e.what, bad[i].line);
		CHECK(!t);
	}
}

TEST(toml_strings_are_found_by_path)
{
	scoped_toml struct toml_doc *t = NULL;
	scoped_strv struct strv v = { 0 };
	const char *s = "unchanged";
	struct err e = ERR_INIT;

	need_toml();
	t = parsed("[storage]\ndriver = \"overlay\"\nn = 1\n[storage.options]\nl = ['a']\n");
	CHECK_INT(toml_str(t, "storage.driver", "t", &s, &e), 0);
	CHECK_STR(s, "overlay");
	CHECK_INT(toml_str(t, "storage.none", "t", &s, &e), 0);
	CHECK(!s);
	CHECK_INT(toml_str(t, "storage.driver.x", "t", &s, &e), 0);
	CHECK(!s);
	CHECK_INT(toml_str(t, "storage.n", "t", &s, &e), -EINVAL);
	CHECK(has(t, "storage.options.l", "a") && !has(t, "storage.none", "a"));
	CHECK_INT(toml_strs(t, "storage.n", "t", &v, &e), -EINVAL);
	CHECK_INT(toml_strs(t, "storage.none", "t", &v, &e), 0);
	CHECK_INT(v.len, 0);
}

TEST(toml_deep_and_large_documents_are_refused)
{
	scoped_buf struct buf deep = BUF_INIT, large = BUF_INIT;
	struct toml_doc *t = NULL;
	struct err e = ERR_INIT;

	need_toml();
	buf_str(&deep, "a = ");
	for (size_t i = 0; i < 100000; i++)
		buf_char(&deep, '[');
	CHECK_INT(toml_parse(buf_get(&deep), deep.len, "t", &t, &e), -EINVAL);
	for (size_t i = 0; i <= TOML_MAX_BYTES; i++)
		buf_char(&large, '\n');
	CHECK_INT(toml_parse(buf_get(&large), large.len, "t", &t, &e), -EFBIG);
}
