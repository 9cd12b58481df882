/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A user, an image's passwd and its group, with a NUL between: nobody, or ids that are some. The
 * text that follows is a file of subordinate ids: its grants are ranges of ids.
 */

#include "../../lib/idmap/subid.h"
#include "../../lib/image/image_user.h"
#include "fuzz.h"

enum { PARTS = 4 };

static void check_user(const struct image_user *u)
{
	FUZZ_CHECK(u->uid != UINT32_MAX && u->gid != UINT32_MAX);
	for (size_t i = 0; i < u->groups.len; i++) {
		FUZZ_CHECK(u->groups.items[i] != u->gid && u->groups.items[i] != UINT32_MAX);
		for (size_t k = 0; k < i; k++)
			FUZZ_CHECK(u->groups.items[i] != u->groups.items[k]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped_image_user struct image_user u = { 0 };
	char *text = calloc(1, size + PARTS), *part[PARTS];
	struct user alice = { .name = "alice", .uid = 1000 };
	struct grants grants = { 0 };
	struct err e = ERR_INIT;

	FUZZ_CHECK(text);
	memcpy(text, data, size);
	part[0] = text;
	for (int i = 1; i < PARTS; i++) /* beyond the data there are NULs enough */
		part[i] = part[i - 1] + strlen(part[i - 1]) + 1;
	if (image_user_resolve(part[0], part[1], part[2], &u, &e) == 0)
		check_user(&u);
	else
		FUZZ_CHECK(e.set && e.what[0]);
	if (subid_parse(part[3], "subuid", &alice, &grants, &e) == 0)
		for (size_t i = 0; i < grants.len; i++)
			FUZZ_CHECK(grants.items[i].count &&
				UINT32_MAX - grants.items[i].start >= grants.items[i].count);
	VEC_DONE(&grants);
	free(text);
	return 0;
}
