/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What %u and %U of a view stand for, and who may be in each=. */

#include <string.h>

#include "../../lib/idmap/each_users.h"
#include "../../lib/mount/view.h"
#include "test.h"

static void check_expands(const char *name, const char *text, const char *want)
{
	struct user user = { .uid = 1001, .gid = 1, .has_gid = true };
	scoped_buf struct buf b = BUF_INIT;

	(void)snprintf(user.name, sizeof(user.name), "%s", name);
	view_expand(text, &user, &b);
	CHECK_STR(buf_get(&b), want);
}

TEST(view_names_are_components_of_paths_and_ends_of_no_option)
{
	static const char *const safe[] = { "alice", "a.b-c_d@example.com", "Alice2", "1st" };
	static const char *const unsafe[] = { "", ".", "..", ".alice", "-x", "@x", "a/b", "a,b",
		"a;b", "a:b", "a b", "a\"b", "a\\b", "a%ub", "a\nb", "1002", "\xc3\xa9", "m$" };

	for (size_t i = 0; i < ARRAY_LEN(safe); i++)
		check_expands(safe[i], "%u", safe[i]);
	for (size_t i = 0; i < ARRAY_LEN(unsafe); i++)
		check_expands(unsafe[i], "%u", "1001");
}

TEST(view_texts_keep_what_is_no_user)
{
	check_expands(
		"alice", "map=user:%u;u:%U:1:1,size=50%", "map=user:alice;u:1001:1:1,size=50%");
	check_expands("alice", "/%%u%x%U%", "/%alice%x1001%");
}

TEST(each_takes_entries_of_three_forms)
{
	static const char *const good[] = { "subid", "group:staff", "user:a;user:b",
		"subid,group:g", "user:a user:b;" };
	static const char *const bad[] = { "", ";", "everyone", "group:", "user:", "staff",
		"subids" };
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		CHECK_INT(each_check(good[i], &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		e = ERR_INIT;
		CHECK_INT(each_check(bad[i], &e), -EINVAL);
		CHECK(e.usage);
		CHECK_HAS(e.what, "is not a list of users");
	}
}
