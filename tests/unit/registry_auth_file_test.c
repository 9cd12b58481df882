/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which credential of a file is a registry's. */

#include "../../lib/registry/auth_file.h"

#include "test.h"

#define AUTH_A "{\"auth\":\"YTpB\"}"     /* a:A */
#define AUTH_B "{\"auth\":\"YjpCOkI=\"}" /* b:B:B */
#define AUTH_C "{\"auth\":\"YzpDAAA=\"}" /* c:C and two NULs */

static int find(
	const char *text, const char *host, const char *path, struct credential *ret, struct err *e)
{
	const struct auth_query q = { .host = host, .path = path };

	*ret = (struct credential){ .kind = CREDENTIAL_NONE };
	return auth_file_find(text, strlen(text), "auth.json", &q, ret, e);
}

TEST(the_longest_part_of_the_name_has_the_credential)
{
	static const char text[] =
		"{\"auths\":{\"q.io\":" AUTH_A ",\"q.io/x\":" AUTH_B ",\"q.io/x/y\":" AUTH_C
		",\"https://old.io/v1/\":" AUTH_A ",\"new.io\":{},\"https://new.io\":" AUTH_B
		",\"https://index.docker.io/v1/\":" AUTH_C ",\"l:1/x\":" AUTH_A "}}";
	static const struct {
		const char *host, *path, *user, *secret;
	} cases[] = {
		{ "q.io", "a", "a", "A" },
		{ "q.io", "a/x", "a", "A" },
		{ "q.io", "x", "b", "B:B" },
		{ "q.io", "x/z", "b", "B:B" },
		{ "q.io", "xy", "a", "A" },
		{ "q.io", "x/y", "c", "C" },
		{ "q.io", "x/y/z", "c", "C" },
		{ "old.io", "x", "a", "A" },
		{ "new.io", "x", "b", "B:B" },
		{ "docker.io", "library/x", "c", "C" },
		{ "l:1", "x", "a", "A" },
		{ "l:1", "y", NULL, NULL },
		{ "l", "x", NULL, NULL },
		{ "io", "x", NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err e = ERR_INIT;
		struct credential c;
		int r = find(text, cases[i].host, cases[i].path, &c, &e);

		if (cases[i].user ? r != 1 || c.kind != CREDENTIAL_PASSWORD ||
					strcmp(c.user, cases[i].user) != 0 ||
					strcmp(c.secret, cases[i].secret) != 0 :
				    r != 0 || c.kind != CREDENTIAL_NONE)
			test_fail(__FILE__, __LINE__, "%s/%s: %d '%s' %s", cases[i].host,
				cases[i].path, r, c.user, e.what);
	}
}

TEST(an_identity_token_goes_before_a_password)
{
	struct credential c;

	CHECK(find("{\"auths\":{\"q.io\":{\"auth\":\"YTpB\",\"identitytoken\":\"T\"}}}", "q.io",
		      "x", &c, NULL) == 1);
	CHECK(c.kind == CREDENTIAL_TOKEN && !strcmp(c.secret, "T"));
}

TEST(the_form_of_dockercfg_is_the_entries_alone)
{
	static const char text[] = "{\"https://q.io/v1/\":" AUTH_A ",\"r.io\":" AUTH_A "}";
	struct auth_query q = { .host = "q.io", .path = "x", .legacy = true };
	struct credential c;

	CHECK(auth_file_find(text, strlen(text), "f", &q, &c, NULL) == 1 && !strcmp(c.user, "a"));
	q.host = "r.io";
	CHECK(auth_file_find(text, strlen(text), "f", &q, &c, NULL) == 1);
}

TEST(errors_do_not_contain_a_part_of_the_file)
{
	static const char *const bad[] = { "", "[]", "c2VjcmV0", "{\"auths\":\"c2VjcmV0\"}",
		"{\"auths\":{\"q.io\":\"c2VjcmV0\"}}", "{\"auths\":{\"q.io\":{\"auth\":5}}}",
		"{\"auths\":{\"q.io\":{\"auth\":\"c2VjcmV0\"}}}",
		"{\"auths\":{\"q.io\":{\"auth\":\"secret!\"}}}",
		"{\"auths\":{\"q.io\":{\"auth\":\"c2VjcmV0\" \"secret\"}}}",
		"{\"auths\":{\"q.io\":{\"auth\":\"YTpzZWNyZXQKYg==\"}}}",
		"{\"auths\":{\"q.io\":{\"identitytoken\":\"secret\\r\\n\"}}}" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err e = ERR_INIT;
		struct credential c;

		if (find(bad[i], "q.io", "x", &c, &e) >= 0 || !e.what[0] ||
			strstr(e.what, "secret") || strstr(e.what, "c2VjcmV0") ||
			strstr(e.why, "secret") || strstr(e.why, "c2VjcmV0"))
			test_fail(__FILE__, __LINE__, "%s: '%s'", bad[i], e.what);
	}
}

static int helper(const char *text, const char *host, char ret[static CREDENTIAL_HELPER])
{
	const struct auth_query q = { .host = host, .path = "x" };

	return auth_file_helper(text, strlen(text), "auth.json", &q, ret, NULL);
}

TEST(a_helper_is_named_for_one_registry_or_for_all)
{
	static const char text[] = "{\"credHelpers\":{\"q.io\":\"pass\",\"docker.io\":\"hub\"},"
				   "\"credsStore\":\"store\"}";
	char name[CREDENTIAL_HELPER];

	CHECK(helper(text, "q.io", name) == 1 && !strcmp(name, "pass"));
	CHECK(helper(text, "docker.io", name) == 1 && !strcmp(name, "hub"));
	CHECK(helper(text, "r.io", name) == 1 && !strcmp(name, "store"));
	CHECK(helper("{}", "r.io", name) == 0);
	CHECK(helper("{\"credsStore\":\"\"}", "r.io", name) == 0);
	CHECK(helper("{\"credsStore\":\"../x\"}", "r.io", name) < 0);
	CHECK(helper("{\"credsStore\":\"a b\"}", "r.io", name) < 0);
	CHECK(helper("{\"credsStore\":\"a;b\"}", "r.io", name) < 0);
}

TEST(what_a_helper_prints_is_a_password_or_a_token)
{
	static const char password[] =
		"{\"ServerURL\":\"q.io\",\"Username\":\"u\",\"Secret\":\"s\"}";
	static const char token[] = "{\"Username\":\"<token>\",\"Secret\":\"s\"}";
	static const char bad[] = "secret is not JSON";
	struct credential c;
	struct err e = ERR_INIT;

	CHECK(auth_helper_answer(password, strlen(password), "h", &c, NULL) == 0);
	CHECK(c.kind == CREDENTIAL_PASSWORD && !strcmp(c.user, "u") && !strcmp(c.secret, "s"));
	CHECK(auth_helper_answer(token, strlen(token), "h", &c, NULL) == 0);
	CHECK(c.kind == CREDENTIAL_TOKEN);
	CHECK(auth_helper_answer(bad, strlen(bad), "h", &c, &e) < 0 && !strstr(e.what, "secret "));
}
