/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What registries ask for in WWW-Authenticate. */

#include "../../lib/registry/challenge.h"

#include "test.h"

TEST(challenges_of_real_registries_are_read)
{
	static const struct {
		const char *header;
		struct challenge c;
	} cases[] = {
		{ "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
		  "scope=\"repository:library/debian:pull\"",
			{ false, true, "https://auth.docker.io/token", "registry.docker.io",
				"repository:library/debian:pull" } },
		{ "Basic realm=\"Registry Realm\"", { true, false, "", "", "" } },
		{ "basic", { true, false, "", "", "" } },
		{ "BEARER Realm=\"a\" , SERVICE=b", { false, true, "a", "b", "" } },
		{ "Bearer realm=\"a\",error=\"invalid_token\",scope=\"x,y z\"",
			{ false, true, "a", "", "x,y z" } },
		{ "Negotiate, Basic realm=\"x\", Bearer realm=\"b\"", { true, true, "b", "", "" } },
		{ "Negotiate oYG2MIGzoAMK=, Bearer realm=\"b\"", { false, true, "b", "", "" } },
		{ "Digest realm=\"d\", nonce=\"n\", Basic realm=\"x\"",
			{ true, false, "", "", "" } },
		{ "Bearer realm=\"b\", Bearer realm=\"c\"", { false, true, "b", "", "" } },
		{ "Bearer realm=\"a\\\"b\"", { false, true, "a\"b", "", "" } },
		{ ", ,Bearer realm = \"b\",", { false, true, "b", "", "" } },
		{ "", { false, false, "", "", "" } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct challenge c = { .basic = false };
		const struct challenge *want = &cases[i].c;

		if (challenge_add(&c, cases[i].header) < 0 || c.basic != want->basic ||
			c.bearer != want->bearer || strcmp(c.realm, want->realm) != 0 ||
			strcmp(c.service, want->service) != 0 || strcmp(c.scope, want->scope) != 0)
			test_fail(__FILE__, __LINE__, "%s: '%s' '%s' '%s' %d%d", cases[i].header,
				c.realm, c.service, c.scope, c.basic, c.bearer);
	}
}

TEST(several_headers_are_one_list)
{
	struct challenge c = { .basic = false };

	CHECK(challenge_add(&c, "Basic realm=\"x\"") == 0);
	CHECK(challenge_add(&c, "Bearer realm=\"b\"") == 0);
	CHECK(c.basic && c.bearer && !strcmp(c.realm, "b"));
}

TEST(a_header_that_is_not_well_formed_changes_nothing)
{
	static const char *const bad[] = { "Bearer", "Bearer scope=\"x\"", "Bearer realm=\"x",
		"Bearer realm=\"x\\", "Bearer realm=\"x\"service=\"y\"", "Bearer realm=\"a\nb\"",
		"\"x\"", "=", "Bearer\"x\"", "Bearer realm=\"a\x7f\"" };
	char longer[2048] = "Bearer realm=\"";

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct challenge c = { .basic = true };

		if (challenge_add(&c, bad[i]) == 0 || c.bearer || !c.basic)
			test_fail(__FILE__, __LINE__, "'%s'", bad[i]);
	}
	memset(longer + strlen(longer), 'x', 1200);
	longer[strlen("Bearer realm=\"") + 1200] = '"';
	CHECK(challenge_add(&(struct challenge){ .basic = false }, longer) < 0);
}
