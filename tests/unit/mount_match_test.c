/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is mounted, compared with a plan; and the order of unmounting. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/base/sys.h"
#include "../../lib/mount/apply.h"
#include "../../lib/mount/match.h"
#include "../../lib/mount/umount.h"
#include "test.h"

/* A tmpfs in a mount namespace of this process's own, with src, file, t and other. */
static void enter_namespace(void)
{
	int flags = CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER);

	if (unshare(flags) < 0)
		SKIP("no mount namespace");
	if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		sys_mount("none", "/tmp", "tmpfs", 0, "mode=0700") < 0)
		SKIP("no tmpfs can be mounted");
	REQUIRE(chdir("/tmp") == 0);
	REQUIRE(mkdir("src", 0755) == 0 && mkdir("t", 0755) == 0 && mkdir("other", 0755) == 0);
}

static int plan(struct mount_plan *p, const char *source, const char *options)
{
	scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
	const struct mount_request q = { .source = source, .target = "/tmp/t", .options = &o };
	struct err e = ERR_INIT;

	REQUIRE(mount_options_parse(&o, options, &e) == 0);
	return mount_plan_build(p, &q, &e);
}

/* The results of both questions, and why they differ. */
static void look(const char *source, const char *options, int *is, int *at_all, struct err *e)
{
	scoped_mount_snapshot struct mount_snapshot s = { 0 };
	scoped_mount_plan struct mount_plan p = { 0 };
	int id;

	REQUIRE(plan(&p, source, options) == 0);
	*is = plan_is_mounted(&p, &s, &id, e);
	*at_all = plan_source_is_mounted(&p, &s, &id, NULL);
}

TEST(a_bind_is_the_plans_if_source_and_flags_are)
{
	static const struct {
		const char *source, *options;
		int is, at_all;
	} rows[] = {
		{ "/tmp/src", "bind,ro,nosuid", 1, 1 },
		{ "/tmp/src", "bind,ro", -EEXIST, 1 },
		{ "/tmp/src", "bind,nosuid", -EEXIST, 1 },
		{ "/tmp/other", "bind,ro,nosuid", 0, 0 },
		{ "/tmp/missing", "bind,ro,nosuid", 0, 0 },
	};
	struct mount_result res = MOUNT_RESULT_INIT;
	scoped_mount_plan struct mount_plan p = { 0 };
	struct err e = ERR_INIT;
	int is, at_all;

	enter_namespace();
	look("/tmp/src", "bind,ro,nosuid", &is, &at_all, &e);
	CHECK(is == 0 && at_all == 0);
	REQUIRE(plan(&p, "/tmp/src", "bind,ro,nosuid") == 0 &&
		mount_apply(&p, NULL, &res, &e) == 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		look(rows[i].source, rows[i].options, &is, &at_all, &e);
		CHECK_INT(is, rows[i].is);
		CHECK_INT(at_all, rows[i].at_all);
	}
	look("/tmp/src", "bind", &is, &at_all, &e);
	CHECK_HAS(e.why, "there: ro,nosuid");
	mount_undo(&p, &res);
	mount_result_done(&res);
	look("/tmp/src", "bind,ro,nosuid", &is, &at_all, &e);
	CHECK(is == 0 && at_all == 0);
}

static size_t position(const struct strv *v, const char *word)
{
	size_t i = 0;

	while (i < v->len && strcmp(v->items[i], word) != 0)
		i++;
	return i;
}

TEST(what_is_below_a_mount_is_unmounted_before_it_innermost_first)
{
	static const char *const dirs[] = { "t", "t/b", "t/a", "t/b/c", "t/b/c/d" };
	scoped_strv struct strv below = { 0 };
	struct err e = ERR_INIT;

	enter_namespace();
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		(void)mkdir(dirs[i], 0755);
		REQUIRE(sys_mount("none", dirs[i], "tmpfs", 0, NULL) == 0);
	}
	REQUIRE(umount_check("t", &below, &e) == 0);
	CHECK_INT(below.len, 4);
	CHECK(position(&below, "b/c/d") < position(&below, "b/c"));
	CHECK(position(&below, "b/c") < position(&below, "b"));
	CHECK(position(&below, "a") < 4 && position(&below, "b") < 4);
	CHECK_INT(umount_target("t", UMOUNT_PLAIN, &e), -EBUSY);
	CHECK_INT(umount_target("t", UMOUNT_TREE, &e), 0);
	CHECK_INT(umount_check("t", NULL, &e), -EINVAL);
}
