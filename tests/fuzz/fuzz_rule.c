/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines of a policy: each is taken whole or refused, and what is taken allows what it says and
 * nothing else.
 */

#include "fuzz.h"

#include <sys/stat.h>

#include "../../lib/broker/rule.h"

static void check(const struct rules *rs, const struct rule *r)
{
	switch (r->kind) {
	case RULE_MKNOD:
		FUZZ_CHECK(rules_device(rs, r->type, r->major, r->minor));
		FUZZ_CHECK(r->type == S_IFBLK || r->major || r->minor);
		break;
	case RULE_MOUNT:
		FUZZ_CHECK(r->source[0] == '/' && r->fstype[0] &&
			rules_mount(rs, r->fstype, r->source));
		break;
	default:
		FUZZ_CHECK(rules_find(rs, r->kind));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rules rs = { 0 };
	char *text = malloc(size + 1), *line, *rest = text;

	FUZZ_CHECK(text);
	memcpy(text, data, size);
	text[size] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		size_t had = rs.len;
		struct err e = ERR_INIT;
		int r = rules_add(&rs, line, &e);

		FUZZ_CHECK(r == 0 ? rs.len == had + 1 && !strcmp(rs.items[had].text, line) :
				    rs.len == had && e.set);
		if (r == 0)
			check(&rs, &rs.items[had]);
	}
	for (unsigned minor = 0; minor < 16 && !rules_find(&rs, RULE_MKNOD); minor++)
		FUZZ_CHECK(!rules_device(&rs, S_IFBLK, 1, minor));
	rules_done(&rs);
	free(text);
	return 0;
}
