/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a writable map gives away: the verdict over maps and facts. */

#include <errno.h>

#include "../../lib/idmap/accounts.h"
#include "../../lib/idmap/names.h"
#include "../../lib/mount/exposure.h"
#include "test.h"

static unsigned asked;

static int no_user(const char *name, struct user *ret)
{
	(void)name;
	(void)ret;
	return -ENOENT;
}

/* A directory service knows this one. */
static int far_user(uint32_t uid, struct user *ret)
{
	asked++;
	if (uid != 4000000001)
		return -ENOENT;
	*ret = (struct user){ .uid = uid };
	return 0;
}

static int no_gid(const char *name, uint32_t *ret)
{
	(void)name;
	(void)ret;
	return -ENOENT;
}

static int far_group(uint32_t gid)
{
	asked++;
	return gid == 4000000002 ? 0 : -ENOENT;
}

static const struct names_source far_names = { no_user, far_user, no_gid, far_group };

static struct exposure judge(const char *text, const struct exposure_facts *f)
{
	scoped_idmap struct idmap m = { .gid_assumed = false };

	REQUIRE(idmap_parse(&text, 1, NULL, &m, NULL) == 0);
	return exposure_judge(&m, f);
}

TEST(exposure_by_a_map_in_an_open_place)
{
	static const struct {
		const char *map;
		enum exposure_verdict verdict;
		int64_t user[2], group[2];
	} cases[] = {
		{ "0:100000:65536", EXPOSURE_REFUSE, { 0, 100000 }, { 0, 100000 } },
		{ "u:0:5:1;g:7:7:1", EXPOSURE_REFUSE, { 0, 5 }, { -1, -1 } },
		{ "u:7:7:1;g:0:5:1", EXPOSURE_REFUSE, { -1, -1 }, { 0, 5 } },
		{ "u:0:5:1", EXPOSURE_REFUSE, { 0, 5 }, { -1, -1 } }, /* groups stay as they are */
		{ "u:1000:1001:1;g:0:9:1", EXPOSURE_REFUSE, { -1, -1 }, { 0, 9 } },
		{ "1000:1001:1", EXPOSURE_WARN, { 1000, 1001 }, { 1000, 1001 } },
		{ "u:1000:1001:1;g:1000:1000:1", EXPOSURE_WARN, { 1000, 1001 }, { -1, -1 } },
		{ "u:1000:1000:1;g:50:51:1", EXPOSURE_WARN, { -1, -1 }, { 50, 51 } },
		{ "65535:200000:2", EXPOSURE_WARN, { 65535, 200000 }, { 65535, 200000 } },
		{ "0:0:1;1:100001:65535", EXPOSURE_WARN, { 1, 100001 }, { 1, 100001 } },
		{ "1000:0:3", EXPOSURE_WARN, { 1001, 1 },
			{ 1001, 1 } }, /* 0 has that of 1000 anyway */
		{ "u:4000000001:5:1;g:4000000002:6:1", EXPOSURE_WARN, { 4000000001, 5 },
			{ 4000000002, 6 } },
		{ "0:0:4294967295", EXPOSURE_NONE, { -1, -1 }, { -1, -1 } },
		{ "0:0:65536", EXPOSURE_NONE, { -1, -1 }, { -1, -1 } },
		{ "1000:0:1", EXPOSURE_NONE, { -1, -1 }, { -1, -1 } },
		{ "4000000000:5:3", EXPOSURE_NONE, { -1, -1 },
			{ -1, -1 } }, /* a range is not asked for id by id */
		{ "3000000000:0:65536", EXPOSURE_NONE, { -1, -1 }, { -1, -1 } },
		{ "3000000000:100000:65536", EXPOSURE_NONE, { -1, -1 }, { -1, -1 } },
	};
	const struct exposure_facts open = { .public_ = false };

	names_set_source(&far_names);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct exposure x = judge(cases[i].map, &open);

		if (x.verdict != cases[i].verdict)
			test_fail(__FILE__, __LINE__, "%s: the verdict is %d", cases[i].map,
				x.verdict);
		CHECK_INT(x.user.given ? (int64_t)x.user.disk : -1, cases[i].user[0]);
		CHECK_INT(x.user.given ? (int64_t)x.user.seen : -1, cases[i].user[1]);
		CHECK_INT(x.group.given ? (int64_t)x.group.disk : -1, cases[i].group[0]);
		CHECK_INT(x.group.given ? (int64_t)x.group.seen : -1, cases[i].group[1]);
	}
	names_set_source(NULL);
}

TEST(exposure_needs_all_of_it_writable_open_suid_and_not_meant)
{
	static const struct exposure_facts harmless[] = {
		{ .read_only = true },
		{ .user_ns = true },
		{ .closed = true },
		{ .nosuid = true },
		{ .public_ = true },
	};
	const struct exposure_facts open = { .public_ = false }, of_mount8 = { .only_warn = true };

	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++) {
		CHECK_INT(judge("0:100000:65536", &harmless[i]).verdict, EXPOSURE_NONE);
		CHECK_INT(judge("1000:1001:1", &harmless[i]).verdict, EXPOSURE_NONE);
	}
	CHECK_INT(judge("0:100000:65536", &open).verdict, EXPOSURE_REFUSE);
	CHECK_INT(judge("0:100000:65536", &of_mount8).verdict, EXPOSURE_WARN);
	CHECK_INT(judge("1000:1001:1", &of_mount8).verdict, EXPOSURE_WARN);
}

TEST(exposure_behind_the_mode_of_the_source_itself_lasts_until_its_owner_changes_it)
{
	const struct exposure_facts own_mode = { .own_mode = true },
				    with_public = { .own_mode = true, .public_ = true };
	struct exposure x = judge("0:100000:65536", &own_mode);

	CHECK_INT(x.verdict, EXPOSURE_WARN);
	CHECK(x.by_mode && x.user.given && x.user.seen == 100000);
	CHECK_INT(judge("0:100000:65536", &with_public).verdict, EXPOSURE_NONE);
	/* It belongs to user 0, whom these maps do not give away. */
	CHECK_INT(judge("1000:1001:1", &own_mode).verdict, EXPOSURE_NONE);
	CHECK_INT(judge("u:7:8:1;g:0:5:1", &own_mode).verdict, EXPOSURE_NONE);
	CHECK_INT(judge("u:0:0:1;g:0:5:1", &own_mode).verdict, EXPOSURE_NONE);
}

TEST(exposure_asks_the_name_service_once_for_the_same_id)
{
	const struct exposure_facts open = { .public_ = false };

	names_set_source(&far_names);
	asked = 0;
	for (int i = 0; i < 10000; i++)
		(void)judge("4000000005:100000:1", &open);
	CHECK_INT(asked, 2); /* as a user, and as a group */
	asked = 0;
	for (int i = 0; i < 100; i++)
		(void)judge("1000:1001:1;3000000000:5000:65536", &open);
	CHECK_INT(asked, 0);
	names_set_source(NULL);
}
