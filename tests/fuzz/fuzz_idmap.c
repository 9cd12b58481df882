/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever text is taken as a map prints as one that reads back equal. Grants are read alike. */

#include <errno.h>

#include "../../lib/idmap/idmap.h"
#include "../../lib/idmap/idmap_forms.h"
#include "../../lib/idmap/subid.h"
#include "fuzz.h"

static int user(const char *name, struct user *ret)
{
	*ret = (struct user){
		.name = "u", .uid = (uint32_t)name[0] << 24, .gid = 5, .has_gid = true
	};
	return name[0] == '_' ? -ENOENT : 0;
}
static int user_of(uint32_t uid, struct user *ret)
{
	*ret = (struct user){ .uid = uid };
	return 0;
}
static int gid(const char *name, uint32_t *ret)
{
	*ret = (uint32_t)name[0];
	return 0;
}

static void reads_back(struct idmap *m)
{
	scoped_buf struct buf b = BUF_INIT;
	scoped_idmap struct idmap back = { 0 };

	idmap_print(m, &b);
	FUZZ_CHECK(idmap_parse((const char *const[]){ buf_get(&b) }, 1, NULL, &back, NULL) == 0 &&
		idmap_equal(m, &back));
}

FUZZ(text)
{
	static const struct names_source names = { user, user_of, gid, NULL };
	const struct idmap_context ctx = {
		.source = "/", .subuid = "/dev/null", .subgid = "/dev/null"
	};
	struct grants grants = { 0 };
	scoped_idmap struct idmap m = { 0 }, kernel = { 0 }, form = { 0 };
	struct err e = ERR_INIT;

	names_set_source(&names);
	if (!strpbrk(text, "@/") && !strstr(text, "fd:") && !strstr(text, "pid:") &&
		idmap_parse(&text, 1, &ctx, &m, &e) == 0)
		reads_back(&m);
	if (!strpbrk(text, "@/") && !strstr(text, "fd:") && !strstr(text, "pid:") &&
		idmap_parse_form(&text, 1, &form, &e) == 0)
		reads_back(&form);
	if (idmap_parse_kernel(text, text, &kernel, &e) == 0)
		reads_back(&kernel);
	(void)subid_parse(text, "subuid", &(struct user){ .name = "u", .uid = 5 }, &grants, &e);
	free(grants.items);
}
