/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A platform is an operating system, an architecture and, for some, a variant. */

#include "test.h"

#include <errno.h>

#include "../../lib/base/buf.h"
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
