/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which names a user's reference matches. */

#include "../../lib/source/image_ref.h"

#include "test.h"

TEST(a_reference_may_omit_the_tag_latest_and_the_beginning_of_the_repository)
{
	static const struct {
		const char *name, *ref;
		bool matches;
	} cases[] = {
		{ "docker.io/library/web:latest", "docker.io/library/web:latest", true },
		{ "docker.io/library/web:latest", "library/web:latest", true },
		{ "docker.io/library/web:latest", "web", true },
		{ "docker.io/library/web:1", "web:1", true },
		{ "docker.io/library/web:1", "web", false },
		{ "docker.io/library/web:latest", "eb", false },
		{ "docker.io/library/web:latest", "latest", false },
		{ "localhost:5000/web:latest", "localhost:5000/web", true },
		{ "", "web", false },
		{ "web:latest", "x/web", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (image_ref_matches(cases[i].name, cases[i].ref) != cases[i].matches)
			test_fail(__FILE__, __LINE__, "'%s' and '%s'", cases[i].name, cases[i].ref);
}
