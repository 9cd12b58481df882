/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <string.h>

#include "../../lib/base/cleanup.h"
#include "../../lib/survey/podman_version.h"

TEST(podman_version_is_parsed)
{
	static const struct {
		const char *text, *version;
		unsigned major, minor;
	} cases[] = {
		{ "podman version 4.3.1\n", "4.3.1", 4, 3 },
		{ "podman version 5.8.6", "5.8.6", 5, 8 },
		{ "podman version 6.0.0-rc1\n", "6.0.0-rc1", 6, 0 },
		{ "podman version 10.20\n", "10.20", 10, 20 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct podman_version v = { .major = 0 };

		CHECK(podman_version_parse(cases[i].text, &v));
		CHECK(!strcmp(v.text, cases[i].version));
		CHECK(v.major == cases[i].major && v.minor == cases[i].minor);
	}
}

TEST(podman_version_of_another_form_is_not_known)
{
	static const char *const bad[] = { "", "podman", "podman version ", "podman version 4",
		"podman version 4.\n", "podman version v4.3.1\n", "podman version 4.3.1 beta\n",
		"podman version -1.2\n", "podman version 99999999999.1\n", "docker version 4.3.1\n",
		"podman version 4.3.1111111111111111111111111111111111111111111\n",
		"podman version 4.3\033[1m\n" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct podman_version v = { .major = 0 };

		CHECK(!podman_version_parse(bad[i], &v));
		CHECK(!v.text[0]);
	}
}
