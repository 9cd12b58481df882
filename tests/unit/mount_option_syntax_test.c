/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The syntax of a string of options: where an option ends, and what its value is. */
#include <errno.h>
#include <stdlib.h>

#include "../../lib/base/cleanup.h"
#include "../../lib/mount/option_syntax.h"
#include "test.h"

TEST(an_option_ends_at_a_comma_that_nothing_protects)
{
	static const struct {
		const char *text;
		ssize_t length;
		size_t name;
	} rows[] = {
		{ "", 0, 0 },
		{ "ro", 2, 2 },
		{ "ro,nosuid", 2, 2 },
		{ ",ro", 0, 0 },
		{ "map=0:1:2,ro", 9, 3 },
		{ "lower=a=b", 9, 5 },
		{ "lower=a\\,b,ro", 10, 5 },
		{ "lower=\"a,b\",ro", 11, 5 },
		{ "lower=a\\\\,ro", 9, 5 },
		{ "lower=\"a\\\",b\",ro", 13, 5 },
		{ "lower=a\\", 8, 5 },
		{ "lower=\"a,b", -EINVAL, 5 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t name = 99;

		CHECK_INT(option_length(rows[i].text, &name), rows[i].length);
		CHECK_INT(name, rows[i].name);
	}
}

TEST(a_value_loses_its_quotes_and_backslashes)
{
	static const struct {
		const char *raw, *value;
		size_t used;
		char stop;
	} rows[] = {
		{ "", "", 0, 0 },
		{ "/a b", "/a b", 4, 0 },
		{ "\"a,b\"", "a,b", 5, 0 },
		{ "a\\,b", "a,b", 4, 0 },
		{ "a\\\\b", "a\\b", 4, 0 },
		{ "\\054\\1", ",1", 6, 0 },
		{ "\\377\\400", "\377400", 8, 0 },
		{ "dir@map", "dir", 3, '@' },
		{ "di\\@r@map", "di@r", 5, '@' },
		{ "\"d@\"i@map", "d@i", 5, '@' },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scoped_free char *value = NULL;
		size_t used = 99;
		struct err e = ERR_INIT;

		REQUIRE(option_unescape(rows[i].raw, strlen(rows[i].raw), rows[i].stop, &value,
				&used, &e) == 0);
		CHECK_STR(value, rows[i].value);
		CHECK_INT(used, rows[i].used);
	}
}

TEST(a_value_that_no_name_can_have_is_a_usage_error)
{
	static const char *const bad[] = { "a\\000b", "a\\" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *value = NULL;
		struct err e = ERR_INIT;

		CHECK_INT(option_unescape(bad[i], strlen(bad[i]), 0, &value, NULL, &e), -EINVAL);
		CHECK(e.usage && !value);
	}
}
