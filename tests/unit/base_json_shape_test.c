/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a program in Go would refuse is found, whatever the spelling of a key. */

#include "../../lib/base/json_shape.h"

#include <string.h>

#include "test.h"

static const struct json_shape str = { .kind = JSON_KIND_STR }, num = { .kind = JSON_KIND_INT },
			       flag = { .kind = JSON_KIND_BOOL }, when = { .kind = JSON_KIND_TIME },
			       bytes = { .kind = JSON_KIND_BYTES },
			       none = { .kind = JSON_KIND_NONE },
			       list = { .kind = JSON_KIND_LIST, .of = &str },
			       map = { .kind = JSON_KIND_MAP, .of = &str };
static const struct json_member inner[] = { { "kinks", &num }, { NULL, NULL } };
static const struct json_shape object = { .kind = JSON_KIND_OBJECT, .members = inner };
static const struct json_member members[] = { { "str", &str }, { "num", &num }, { "flag", &flag },
	{ "when", &when }, { "bytes", &bytes }, { "none", &none }, { "list", &list },
	{ "map", &map }, { "in", &object }, { NULL, NULL } };
static const struct json_shape shape = { .kind = JSON_KIND_OBJECT, .members = members };

static int check(const char *text, struct err *e)
{
	scoped_json struct json *j = NULL;
	int r = doc_parse(text, strlen(text), "d.json", &j, e);

	REQUIRE(r == 0);
	return doc_check_shape(j, &shape, "d.json", e);
}

TEST(values_of_the_right_type_are_taken_and_so_is_null)
{
	static const char *const good[] = {
		"{}", "{\"str\":\"\"}", "{\"num\":-5}",
		"{\"flag\":false,\"other\":[5,{\"str\":7}]}", "{\"flag\":true}",
		"{\"when\":\"2024-02-29T23:59:59.123456789+05:30\"}", "{\"bytes\":\"YWI=\"}",
		"{\"list\":[\"a\",null]}", "{\"map\":{\"STR\":\"x\",\"y\":null}}",
		"{\"in\":{\"kinks\":1,\"str\":5}}",
		"{\"str\":null,\"num\":null,\"when\":null,\"none\":null,\"list\":null,\"in\":null}"
	};
	static struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (check(good[i], &e) < 0)
			test_fail(__FILE__, __LINE__, "%s: %s", good[i], e.what);
}

TEST(a_value_of_another_type_is_named)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "{\"str\":5}", "\"str\", or one in it, is not a string" },
		{ "{\"num\":\"5\"}", "not an integer" },
		{ "{\"num\":1.0}", "not an integer" },
		{ "{\"flag\":0}", "not true or false" },
		{ "{\"when\":5}", "not a time" },
		{ "{\"when\":\"now\"}", "not a time" },
		{ "{\"bytes\":\"a\"}", "not in base64" },
		{ "{\"bytes\":\"=a==\"}", "not in base64" },
		{ "{\"none\":[]}", "not null" },
		{ "{\"list\":{}}", "not an array" },
		{ "{\"list\":[\"a\",5]}", "\"list\", or one in it, is not a string" },
		{ "{\"map\":[]}", "not an object" },
		{ "{\"map\":{\"a\":[]}}", "\"map\", or one in it, is not a string" },
		{ "{\"in\":[]}", "not an object" },
		{ "{\"in\":{\"kinks\":[]}}", "\"kinks\", or one in it, is not an integer" },
		{ "{\"Str\":\"x\"}", "\"Str\" can be mistaken for \"str\"" },
		{ "{\"str\":\"x\",\"STR\":\"y\"}", "can be mistaken for \"str\"" },
		{ "{\"\xc5\xbftr\":\"x\"}", "can be mistaken for \"str\"" },
		{ "{\"in\":{\"KIN\xe2\x84\xaa\xc5\xbf\":1}}", "can be mistaken for \"kinks\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		static struct err e;

		e = ERR_INIT;
		CHECK_INT(check(bad[i].text, &e), -EINVAL);
		CHECK_HAS(e.what, bad[i].says);
	}
}

TEST(times_have_the_form_of_rfc_3339_and_days_of_the_calendar)
{
	static const char *const good[] = { "2026-01-02T03:04:05Z", "0001-01-01T00:00:00Z",
		"2000-02-29T00:00:00Z", "2026-12-31T23:59:59.9Z", "2026-01-02T03:04:05-23:59" };
	static const char *const bad[] = { "", "2026", "2026-01-02", "2026-01-02T03:04:05",
		"2026-01-02t03:04:05Z", "2026-01-02T03:04:05z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-02T24:00:00Z",
		"2026-01-02T03:60:05Z", "2026-01-02T03:04:60Z", "2026-01-02T03:04:05.Z",
		"2026-01-02T03:04:05,5Z", "2026-01-02T3:04:05Z", "2026-01-02T03:04:05+24:00",
		"2026-01-02T03:04:05+0530", "2026-01-02T03:04:05ZZ", "+026-01-02T03:04:05Z",
		"2026-01-02T03:04:05Z\n" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!json_is_time(good[i]))
			test_fail(__FILE__, __LINE__, "'%s' is refused", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (json_is_time(bad[i]))
			test_fail(__FILE__, __LINE__, "'%s' is taken", bad[i]);
}
