/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file of credentials, and what a helper prints: a credential is whole and of one line. */

#include "../../lib/registry/auth_file.h"
#include "fuzz.h"

static void check(const struct credential *c)
{
	FUZZ_CHECK(c->kind == CREDENTIAL_PASSWORD || c->kind == CREDENTIAL_TOKEN);
	FUZZ_CHECK(memchr(c->user, '\0', sizeof(c->user)));
	FUZZ_CHECK(memchr(c->secret, '\0', sizeof(c->secret)));
	FUZZ_CHECK(!strpbrk(c->user, "\r\n") && !strpbrk(c->secret, "\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const hosts[] = { "q.io", "docker.io", "localhost:5000" };
	const char *text = (const char *)data;
	char helper[CREDENTIAL_HELPER];
	struct credential c;
	struct err e;

	for (size_t i = 0; i < 2 * ARRAY_LEN(hosts); i++) {
		const struct auth_query q = { hosts[i / 2], "library/x/y", i % 2 };
		int r = auth_file_find(text, size, "file", &q, &c, &e);

		if (r > 0)
			check(&c);
		if (auth_file_helper(text, size, "file", &q, helper, &e) > 0)
			FUZZ_CHECK(auth_helper_name_is_valid(helper) && !strchr(helper, '/'));
	}
	if (auth_helper_answer(text, size, "helper", &c, &e) == 0)
		check(&c);
	return 0;
}
