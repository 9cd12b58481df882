/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oom.h"

#include <errno.h>
#include <stdlib.h>

#include "../../lib/idmap/idmap.h"
#include "../../lib/image/image_user.h"
#include "../../lib/image/runtime_config.h"

static int fill(struct image_config *c)
{
	c->user = strdup("bob");
	c->cwd = strdup("tmp");
	if (!c->user || !c->cwd || strv_add(&c->cmd, "sh") < 0 || strv_add(&c->env, "A=1") < 0 ||
		strv_add(&c->annotations, "org.opencontainers.image.os") < 0 ||
		strv_add(&c->annotations, "linux") < 0)
		return -ENOMEM;
	return 0;
}

/* jansson's document is built piece by piece, and each may be missing. */
OOM(runtime_config_make)
{
	static const char *const map_text = "+100000";
	static size_t whole;
	scoped_image_config struct image_config config = { .user = NULL };
	scoped_image_user struct image_user user = { .uid = 0 };
	scoped_idmap struct idmap map = { .gid_assumed = false };
	scoped_buf struct buf b = BUF_INIT;
	const struct runtime_options o = {
		.name = "name", .map = &map, .terminal = true, .max_files = 1024
	};
	int r = fill(&config);

	if (r == 0)
		r = idmap_parse(&map_text, 1, NULL, &map, NULL);
	if (r == 0)
		r = image_user_resolve(
			config.user, "bob:x:5:6::/:\n", "g:x:7:bob\nh:x:8:bob\n", &user, NULL);
	if (r == 0)
		r = runtime_config_make(&config, &user, &o, &b, NULL);
	if (r == 0) {
		CHECK(b.len > 1000 && (!whole || b.len == whole));
		whole = b.len;
	}
	return r;
}
