/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A platform is an operating system, an architecture and, for some, a variant. */

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/json.h"
#include "../../lib/source/platform.h"

TEST(platforms_are_two_or_three_words)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{ "linux/amd64", 0 },
		{ "linux/arm64/v8", 0 },
		{ "linux", -EINVAL },
		{ "", -EINVAL },
		{ "/", -EINVAL },
		{ "linux/", -EINVAL },
		{ "/amd64", -EINVAL },
		{ "linux/arm/v7/x", -EINVAL },
		{ "linux/arm/", -EINVAL },
		{ "linux/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", -EINVAL },
	};
	struct platform p;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (platform_parse(cases[i].text, &p, NULL) != cases[i].want)
			test_fail(__FILE__, __LINE__, "'%s' is %s", cases[i].text,
				cases[i].want ? "taken" : "refused");
	CHECK_INT(platform_parse("linux/arm/v7", &p, NULL), 0);
	CHECK_STR(p.os, "linux");
	CHECK_STR(p.arch, "arm");
	CHECK_STR(p.variant, "v7");
}

TEST(variants_are_those_of_their_architecture)
{
	static const struct {
		const char *text;
		int want;
		const char *known; /* in the advice */
	} cases[] = {
		{ "linux/amd64/v1", 0, NULL },
		{ "linux/amd64/v4", 0, NULL },
		{ "linux/arm/v5", 0, NULL },
		{ "linux/arm/v8", 0, NULL },
		{ "linux/arm64/v9", 0, NULL },
		{ "linux/arm64/v8.2", 0, NULL },
		{ "linux/mips64le/softfloat", 0, NULL },
		{ "linux/amd64/v9", -EINVAL, "v1 v2 v3 v4" },
		{ "linux/amd64/v1.2", -EINVAL, "linux/amd64" },
		{ "linux/amd64/v", -EINVAL, "v1 v2 v3 v4" },
		{ "linux/arm/v4", -EINVAL, "v5 v6 v7 v8" },
		{ "linux/arm/7", -EINVAL, "v5 v6 v7 v8" },
		{ "linux/arm64/v7", -EINVAL, "v8 v9" },
		{ "linux/arm64/v8.", -EINVAL, "v8 v9" },
		{ "linux/arm64/v8.22", -EINVAL, "v8 v9" },
	};
	struct platform p;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;

		if (platform_parse(cases[i].text, &p, &e) != cases[i].want ||
			(cases[i].known && !strstr(e.hint, cases[i].known)))
			test_fail(
				__FILE__, __LINE__, "'%s': %s; %s", cases[i].text, e.what, e.hint);
	}
}

/* An image for a variant runs on a later one, and not on an earlier one. */
TEST(the_best_variant_is_taken)
{
	static const struct {
		const char *want, *arch, *has;
		int fit;
	} cases[] = {
		{ "linux/amd64/v3", "amd64", "v3", 4 },
		{ "linux/amd64/v3", "amd64", "", 3 },
		{ "linux/amd64/v3", "amd64", "v2", 2 },
		{ "linux/amd64/v3", "amd64", "v4", 0 },
		{ "linux/arm64/v9", "arm64", "v8", 2 },
		{ "linux/arm64/v8", "arm64", "v9", 0 },
		{ "linux/arm/v7", "arm", "v6", 2 },
		{ "linux/arm/v6", "arm", "v7", 0 },
		{ "linux/mips/softfloat", "mips", "hardfloat", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_json struct json *doc = NULL;
		struct platform p;
		char text[128];

		(void)snprintf(text, sizeof(text),
			"{\"os\":\"linux\",\"architecture\":\"%s\",\"variant\":\"%s\"}",
			cases[i].arch, cases[i].has);
		REQUIRE(platform_parse(cases[i].want, &p, NULL) == 0);
		REQUIRE(doc_parse(text, strlen(text), "t", &doc, NULL) == 0);
		if (platform_fit(doc, &p) != cases[i].fit)
			test_fail(__FILE__, __LINE__, "%s of %s: %d", cases[i].want, text,
				platform_fit(doc, &p));
	}
}
