/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of images in registries: what they mean, and which are refused. */

#include "../../lib/registry/registry_ref.h"

#include "test.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(a_name_means_what_docker_and_podman_read_in_it)
{
	static const struct {
		const char *s, *text;
		bool guessed;
	} cases[] = {
		{ "debian", "docker.io/library/debian:latest", true },
		{ "debian:12", "docker.io/library/debian:12", true },
		{ "user/app", "docker.io/user/app:latest", true },
		{ "docker.io/debian", "docker.io/library/debian:latest", false },
		{ "index.docker.io/debian", "docker.io/library/debian:latest", false },
		{ "docker.io/library/debian:12", "docker.io/library/debian:12", false },
		{ "quay.io/podman/hello", "quay.io/podman/hello:latest", false },
		{ "localhost/a", "localhost/a:latest", false },
		{ "localhost:5000/a", "localhost:5000/a:latest", false },
		{ "localhost:5000/a:b", "localhost:5000/a:b", false },
		{ "127.0.0.1:5000/a/b/c:d", "127.0.0.1:5000/a/b/c:d", false },
		{ "[::1]:5000/a", "[::1]:5000/a:latest", false },
		{ "[::1]/a", "[::1]/a:latest", false },
		{ "registry:5000/a", "registry:5000/a:latest", false },
		{ "registry/a", "docker.io/registry/a:latest", true },
		{ "a--b_c__d.e:1.0-rc_2", "docker.io/library/a--b_c__d.e:1.0-rc_2", true },
		{ "web@sha256:" HEX64, "docker.io/library/web@sha256:" HEX64, true },
		{ "q.io/web:1@sha256:" HEX64, "q.io/web:1@sha256:" HEX64, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err e = ERR_INIT;
		struct registry_ref ref;
		char text[REF_TEXT];

		if (!CHECK(registry_ref_parse(cases[i].s, &ref, &e) == 0) ||
			strcmp(registry_ref_text(&ref, text), cases[i].text) != 0 ||
			ref.guessed_host != cases[i].guessed)
			test_fail(__FILE__, __LINE__, "'%s': '%s' %s", cases[i].s, text, e.what);
	}
}

TEST(a_name_that_no_registry_can_have_is_a_usage_error_with_advice)
{
	static const char *const bad[] = { "", ":", "@", "/", "a:", "a@", "a/", "/a", "a//b", "A",
		"q.io/A", "q.io/", "-a", "a-", "a..b", "a._b", "a___b", "a__", "a b", "a:-x",
		"a:.x", "a:x/y:", "q.io:0/a", "q.io:65536/a", "q.io:x/a", "q.io:/a", ".q/a", "q./a",
		"q..io/a", "-q.io/a", "q-.io/a", "[::1/a", "[]:1/a", "[::1]x/a", "[::1]:/a",
		"a@sha256:12", "a@md5:0123", "a@sha256:" HEX64 "@sha256:" HEX64, "a\n", "a:x\033",
		"user:pass@q.io/a", "https://q.io/a", "q.io/a?b", "q.io/a#b", "q.io/../a",
		"q.io/a%2f" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err e = ERR_INIT;
		struct registry_ref ref;

		if (registry_ref_parse(bad[i], &ref, &e) == 0 || !e.usage || !e.hint[0])
			test_fail(__FILE__, __LINE__, "'%s': %s", bad[i], e.what);
	}
}

TEST(lengths_have_limits)
{
	char name[1024], tag[256];
	struct registry_ref ref;

	memset(name, 'a', sizeof(name));
	name[247] = '\0';
	CHECK(registry_ref_parse(name, &ref, NULL) == 0);
	name[247] = 'a';
	name[248] = '\0';
	CHECK(registry_ref_parse(name, &ref, NULL) < 0);
	memset(name, 'a', sizeof(name));
	memcpy(name + 300, ".io/a", sizeof(".io/a"));
	CHECK(registry_ref_parse(name, &ref, NULL) < 0);
	memset(tag, 'a', sizeof(tag));
	tag[0] = 'x';
	tag[1] = ':';
	tag[2 + 128] = '\0';
	CHECK(registry_ref_parse(tag, &ref, NULL) == 0);
	tag[2 + 128] = 'a';
	tag[2 + 129] = '\0';
	CHECK(registry_ref_parse(tag, &ref, NULL) < 0);
}

TEST(a_bare_word_is_meant_for_a_registry_only_if_it_says_so)
{
	static const struct {
		const char *word;
		bool meant;
	} cases[] = {
		{ "debian:12", true },
		{ "docker.io/library/debian", true },
		{ "localhost/a", true },
		{ "web@sha256:" HEX64, true },
		{ "debian", false },
		{ "user/app", false },
		{ "app.tar", false },
		{ "./app.tar", false },
		{ "../app/x:1", false },
		{ "/srv/x:1", false },
		{ "Debian:12", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (registry_ref_is_meant(cases[i].word) != cases[i].meant)
			test_fail(__FILE__, __LINE__, "'%s'", cases[i].word);
}
