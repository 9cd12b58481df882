/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which names of images are references, and what podman makes of them. */

#include "../../lib/source/reference.h"

#include <string.h>

#include "test.h"

TEST(references_have_a_host_and_a_path_of_lower_case)
{
	static const char *const good[] = { "docker.io/library/debian:12", "localhost/a",
		"localhost:5000/a/b-c/d__e.f:v1.2-x_Y", "r.example/a--b", "R.example/a" };
	static const char *const bad[] = { "", "a", "a/b", "/a", "a.b/", "a.b/c/", "a.b//c",
		"a.b/../c", "a.b/.c", "a.b/c.", "a.b/c..d", "a.b/c_", "a.b/c___d", "a.b/C",
		"a.b/c:", "a.b/c:.x", "a.b/c:x/y", "a.b/c:x:y", "a.b:/c", "debian:12/slim",
		"r:5000/a", "a.b:x/c", "-a.b/c", ".a/b", "a./b", "a..b/c", "a.b/c@sha256",
		"a.b/c d", "a.b/c%2Fd", "..:1/a" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!reference_is_whole(good[i]))
			test_fail(__FILE__, __LINE__, "'%s' is refused", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (reference_is_whole(bad[i]))
			test_fail(__FILE__, __LINE__, "'%s' is taken", bad[i]);
}

TEST(podman_knows_an_image_by_its_whole_name)
{
	static const struct {
		const char *name, *podman;
	} cases[] = {
		{ "docker.io/library/debian:12", "docker.io/library/debian:12" },
		{ "docker.io/debian", "docker.io/library/debian:latest" },
		{ "quay.io/app", "quay.io/app:latest" },
		{ "app", "localhost/app:latest" },
		{ "app:1.2", "localhost/app:1.2" },
		{ "App", NULL },
		{ "a+b", NULL },
		{ "a/b", NULL },
		{ "app:", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf b = BUF_INIT;
		bool is = reference_for_podman(cases[i].name, &b);

		CHECK(is == (cases[i].podman != NULL));
		CHECK(!strcmp(buf_get(&b), cases[i].podman ? cases[i].podman : ""));
	}
}
