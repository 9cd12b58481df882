/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A map of a view in the ids of podman's user namespace. */

#include "test.h"

#include <errno.h>

#include "../../lib/base/buf.h"
#include "../../lib/idmap/rootless_map.h"

/* podman takes the grants by their ids, so the second one comes first. */
static struct grant items[] = { { 300000, 1000, 1 }, { 100000, 500, 2 } };
static const struct grants both = { .items = items, .len = 2 }, one = { .items = items, .len = 1 };
static const struct user alice = { .name = "alice", .uid = 2001, .gid = 2001, .has_gid = true };

static int relative(const char *text, const struct grants *g, struct buf *ret, bool *plain)
{
	scoped_idmap struct idmap map = { .gid_assumed = false }, m = { .gid_assumed = false };
	struct err e = ERR_INIT;
	int r;

	REQUIRE(idmap_parse(&text, 1, NULL, &map, &e) == 0);
	r = rootless_relative(&map, &alice, g, g, &m, &e);
	if (r < 0)
		return r;
	*plain = rootless_is_plain(&m, g, g);
	idmap_print(&m, ret);
	return 0;
}

TEST(rootless_maps_are_expressed_as_podman_has_them)
{
	static const struct {
		const char *map;
		const struct grants *grants;
		const char *relative; /* NULL: podman cannot have it */
		bool plain;
	} cases[] = {
		{ "0:2001:1;1:300000:1000", &one, "b:0:0:1001", true },
		{ "0:2001:1;1:300000:999", &one, "b:0:0:1000", false },
		/* --userns=keep-id, keep-id:uid=33 */
		{ "0:300000:1000;2001:2001:1", &one, "b:0:1:1000;b:2001:0:1", false },
		{ "0:300000:33;33:2001:1;34:300033:967", &one, "b:0:1:33;b:33:0:1;b:34:34:967",
			false },
		{ "0:2001:1;1:100000:500;501:300000:1000", &both, "b:0:0:1501", true },
		{ "0:2001:1;1:300000:1000;1001:100000:500", &both,
			"b:0:0:1;b:1:501:1000;b:1001:1:500", false },
		/* two ranges that continue each other in podman's namespace are one */
		{ "0:100000:500;500:300000:1000;2001:2001:1", &both, "b:0:1:1500;b:2001:0:1",
			false },
		{ "u:0:2001:1;g:0:300000:1", &one, "u:0:0:1;g:0:1:1", false },
		{ "0:2001:1;1:300000:1001", &one, NULL, false },
		{ "0:7:10", &one, NULL, false },
		{ "u:0:2001:1;g:0:7:1", &one, NULL, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf b = BUF_INIT;
		bool plain = false;
		int r = relative(cases[i].map, cases[i].grants, &b, &plain);

		CHECK_INT(r, cases[i].relative ? 0 : -ENODATA);
		if (r == 0) {
			CHECK_STR(buf_get(&b), cases[i].relative);
			CHECK(plain == cases[i].plain);
		}
	}
}
