/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents are read strictly, and none can hurt the reader. */

#include "test.h"

#include <errno.h>
#include <stdlib.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/json.h"

static int parse(const char *text, size_t n, struct err *e)
{
	struct json *j = NULL;
	int r = doc_parse(text, n, "d.json", &j, e);

	doc_free(j);
	return r;
}

TEST(what_is_not_strict_json_is_refused)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "not valid JSON" },
		{ "{", "not valid JSON" },
		{ "[]", "not a JSON object" },
		{ "1", "" },
		{ "{\"a\":1,\"a\":2}", "duplicate" },
		{ "{\"o\":{\"a\":1,\"a\":1}}", "duplicate" },
		{ "{} x", "not valid JSON" },
		{ "{}{}", "not valid JSON" },
		{ "{'a':1}", "" },
		{ "{\"a\":01}", "" },
		{ "{\"a\":\"\xff\"}", "" },
		{ "{\"a\":\"\\u0000\"}", "" },
		{ "{\"a\":NaN}", "" },
		{ "\xef\xbb\xbf{}", "" },
		{ "{\"a\":99999999999999999999}", "" },
	};
	static struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		e = ERR_INIT;
		if (parse(bad[i].text, strlen(bad[i].text), &e) >= 0)
			test_fail(__FILE__, __LINE__, "taken: %s", bad[i].text);
		CHECK_HAS(e.what, bad[i].says);
		CHECK_STR(e.on, "d.json");
	}
	CHECK_INT(parse("{\"a\":[1,{\"b\":\"[[[[\"}]}", 22, &e), 0);
}

TEST(deep_nesting_is_refused_before_it_is_parsed)
{
	static const char *const parts[] = { "[", "{\"a\":", "{\"a\":[" };
	static struct err e;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		scoped_buf struct buf b = BUF_INIT;

		for (int k = 0; k < 200000; k++)
			buf_str(&b, parts[i]);
		CHECK(parse(buf_get(&b), b.len, &e) < 0);
		CHECK_HAS(e.what, "nested deeper");
	}
}

TEST(depth_counts_brackets_outside_of_strings_only)
{
	scoped_buf struct buf flat = BUF_INIT, deep = BUF_INIT, over = BUF_INIT;
	static struct err e;

	buf_str(&flat, "{\"a\\\"[\":\"");
	for (int i = 0; i < 1000; i++)
		buf_str(&flat, "[\\\\\\\"{");
	buf_str(&flat, "\"}");
	CHECK_INT(parse(buf_get(&flat), flat.len, &e), 0);

	for (int n = 0; n < 2; n++) {
		struct buf *b = n ? &over : &deep;
		int levels = JSON_MAX_DEPTH - 1 + n; /* besides the object itself */

		buf_str(b, "{\"a\":");
		for (int i = 0; i < levels; i++)
			buf_char(b, '[');
		for (int i = 0; i < levels; i++)
			buf_char(b, ']');
		buf_char(b, '}');
	}
	CHECK_INT(parse(buf_get(&deep), deep.len, &e), 0);
	CHECK(parse(buf_get(&over), over.len, &e) < 0);
}

TEST(a_document_beyond_the_size_limit_is_refused)
{
	size_t n = JSON_MAX_BYTES + 1;
	char *text = malloc(n);
	static struct err e;

	REQUIRE(text);
	memset(text, ' ', n);
	memcpy(text, "{}", 2);
	CHECK_INT(parse(text, n, &e), -EFBIG);
	CHECK_INT(parse(text, n - 1, &e), 0);
	free(text);
}

TEST(getters_refuse_other_types_and_name_the_key)
{
	static const char text[] = "{\"s\":\"x\",\"n\":-1,\"f\":1.0,\"a\":[1],\"o\":{},\"z\":null,"
				   "\"u\":9223372036854775807}";
	scoped_json struct json *j = NULL;
	const struct json *v;
	const char *s = "?";
	uint64_t u = 7;
	static struct err e;

	REQUIRE(doc_parse(text, sizeof(text) - 1, "d", &j, &e) == 0);
	CHECK_INT(doc_str(j, "s", "d", true, &s, &e), 0);
	CHECK_STR(s, "x");
	CHECK_INT(doc_u64(j, "u", "d", true, &u, &e), 0);
	CHECK(u == INT64_MAX);
	CHECK(doc_u64(j, "n", "d", true, &u, &e) < 0);
	CHECK_HAS(e.what, "\"n\" is negative");
	CHECK(doc_u64(j, "f", "d", true, &u, &e) < 0);
	CHECK_HAS(e.what, "\"f\" is not an integer");
	CHECK(doc_u64(j, "s", "d", true, &u, &e) < 0);
	CHECK(doc_str(j, "a", "d", false, &s, &e) < 0);
	CHECK(doc_str(j, "z", "d", false, &s, &e) < 0);
	CHECK(doc_object(j, "a", "d", true, &v, &e) < 0);
	CHECK(doc_array(j, "o", "d", true, &v, &e) < 0);
	CHECK(doc_str(j, "missing", "d", true, &s, &e) < 0);
	CHECK_HAS(e.what, "has no \"missing\"");
	CHECK_INT(doc_str(j, "missing", "d", false, &s, &e), 0);
	CHECK(!s);
	REQUIRE(doc_array(j, "a", "d", true, &v, &e) == 0);
	CHECK_INT(doc_len(v), 1);
	CHECK(doc_item_str(v, 0, "a", "d", &s, &e) < 0);
	CHECK_HAS(e.what, "item 1 of \"a\"");
}

TEST(json_writer_prints_what_was_written_in_its_order)
{
	static const char *const words[] = { "b", "a", NULL };
	static const struct {
		enum json_form form;
		const char *want;
	} cases[] = {
		{ JSON_ASCII,
			"{\"z\":\"\\u00FC\\n\\\"\",\"list\":[\"b\",\"a\"],\"o\":{},\"n\":-1,"
			"\"yes\":true}" },
		{ JSON_LINE,
			"{\"z\":\"\xc3\xbc\\n\\\"\",\"list\":[\"b\",\"a\"],\"o\":{},\"n\":-1,"
			"\"yes\":true}" },
		{ JSON_PRETTY,
			"{\n  \"z\": \"\xc3\xbc\\n\\\"\",\n  \"list\": [\n    \"b\",\n"
			"    \"a\"\n  ],\n  \"o\": {},\n  \"n\": -1,\n  \"yes\": true\n}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf b = BUF_INIT;
		struct json_writer w = { .depth = 0 };

		json_write_object(&w, NULL);
		json_write_str(&w, "z", "old");
		json_write_strs(&w, "list", words);
		json_write_object(&w, "o");
		CHECK(!json_writer_in_array(&w));
		json_write_end(&w);
		json_write_strn(&w, "z", "\xc3\xbc\n\"x", 4); /* takes the place of the first */
		json_write_i64(&w, "n", -1);
		json_write_bool(&w, "yes", true);
		json_write_end(&w);
		CHECK_INT(json_writer_print(&w, cases[i].form, &b), 0);
		CHECK_STR(buf_get(&b), cases[i].want);
	}
}

TEST(json_writer_fails_at_the_end_when_a_value_is_not_utf8)
{
	scoped_buf struct buf b = BUF_INIT;
	struct json_writer w = { .depth = 0 };

	json_write_array(&w, NULL);
	CHECK(json_writer_in_array(&w));
	json_write_str(&w, NULL, "\xff");
	json_write_end(&w);
	CHECK_INT(json_writer_print(&w, JSON_LINE, &b), -ENOMEM);
	CHECK_STR(buf_get(&b), "");

	json_write_array(&w, NULL); /* it can be used again */
	json_write_end(&w);
	CHECK_INT(json_writer_print(&w, JSON_LINE, &b), 0);
	CHECK_STR(buf_get(&b), "[]");

	json_write_object(&w, NULL); /* unfinished */
	json_write_array(&w, "a");
	json_writer_done(&w);
}
