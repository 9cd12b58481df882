/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "../../lib/ns/container.h"
#include "test.h"

TEST(a_command_needs_a_root_and_with_privileges_never_the_hosts)
{
	static const struct {
		const char *map;
		int user, root; /* the result without and with privileges */
	} cases[] = {
		{ "0:100000:65536", 0, 0 },
		{ "u:0:1000:1;g:0:1000:1", 0, 0 },
		{ "0:0:1", 0, -EPERM },
		{ "0:100000:1000;1000:0:1", 0, -EPERM },
		{ "u:0:100000:1;g:0:0:1", 0, -EPERM },
		{ "u:0:0:1;g:0:100000:1", 0, -EPERM },
		{ "1:100000:65536", -EINVAL, -EINVAL },
		{ "u:0:100000:1;g:1:100000:1", -EINVAL, -EINVAL },
		{ "u:1:100000:1;g:0:100000:1", -EINVAL, -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct idmap m = { 0 };
		struct err e = ERR_INIT;

		REQUIRE(idmap_parse(&cases[i].map, 1, NULL, &m, &e) == 0);
		CHECK_INT(run_check_map(false, &m, &e), cases[i].user);
		CHECK_INT(run_check_map(true, &m, &e), cases[i].root);
		if (cases[i].root)
			CHECK_STR(e.op, "map");
		idmap_done(&m);
	}
}
