/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The header WWW-Authenticate: a challenge is whole or as before, and fits its fields. */

#include "../../lib/registry/challenge.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct challenge c = { .basic = false }, before;
	char *text = strndup((const char *)data, size), *line, *rest = text;

	FUZZ_CHECK(text);
	while ((line = strsep(&rest, "\n"))) {
		before = c;
		if (challenge_add(&c, line) < 0)
			FUZZ_CHECK(!memcmp(&before, &c, sizeof(c)));
		FUZZ_CHECK(memchr(c.realm, '\0', sizeof(c.realm)));
		FUZZ_CHECK(memchr(c.service, '\0', sizeof(c.service)));
		FUZZ_CHECK(memchr(c.scope, '\0', sizeof(c.scope)));
		FUZZ_CHECK(!c.bearer || c.realm[0]);
		FUZZ_CHECK(!strpbrk(c.realm, "\r\n") && !strpbrk(c.scope, "\r\n"));
	}
	free(text);
	return 0;
}
