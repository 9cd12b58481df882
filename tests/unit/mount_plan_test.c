/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans: what options, source and target together mean, before anything is done. */

#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "../../lib/base/sys.h"
#include "../../lib/mount/plan.h"

static int build(struct mount_plan *p, const char *source, const char *options,
	const struct strv *layers, struct err *e)
{
	scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
	const struct mount_request q = {
		.source = source, .target = "/target", .options = &o, .layers = layers
	};
	int r = options ? mount_options_parse(&o, options, e) : 0;

	if (r == 0)
		r = mount_plan_build(p, &q, e);
	return r == 0 ? mount_plan_check(p, e) : r;
}

/* The steps, one a line. */
static void steps_of(const struct mount_plan *p, struct buf *b)
{
	scoped_strv struct strv steps = { 0 };

	struct mount_flags flags = mount_plan_flags(p);

	REQUIRE(mount_plan_steps(p, &flags, &steps, NULL) == 0);
	for (size_t i = 0; i < steps.len; i++)
		buf_printf(b, "%s\n", steps.items[i]);
}

TEST(mount_plan_says_what_it_will_do)
{
	static const struct {
		const char *source, *options, *steps;
	} cases[] = {
		{ "/s", NULL,
			"bind '/s': ids as the source shows them\nattach it at '/target': "
			"rw,private\n" },
		{ "/s", "map=none,ro,slave",
			"bind '/s': ids as on the disk\nattach it at '/target': ro,slave\n" },
		{ "/s\n", "map=5:1000:1,mkdir=711",
			"bind '/s\n': disk 5 is seen as 1000\ncreate '/target' if it is missing, "
			"mode 0711\nattach it at '/target': rw,private\n" },
		{ "overlay", "lower=/a@none,lower=/b,map=+100000,ephemeral=1K",
			"layer 1 of 2: '/a', ids as on the disk\nlayer 2 of 2: '/b', disk 0-65535 "
			"is seen as 100000-165535\n"
			"changes: in memory, at most 1024 bytes, stored as disk ids\nattach it at "
			"'/target': rw,private\n" },
		{ "overlay", "lower=/a,upper=/u/,map=5:6:1,upper-map=none",
			"layer 1 of 1: '/a', disk 5 is seen as 6\nchanges: '/u/', work directory "
			"'/u.work', stored as seen\n"
			"attach it at '/target': rw,private\n" },
		{ "overlay", "lower=/a,upper=/u,work=/w",
			"layer 1 of 1: '/a', ids as the source shows them\nchanges: '/u', work "
			"directory '/w', stored as seen\n"
			"attach it at '/target': rw,private\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_mount_plan struct mount_plan p = { 0 };
		scoped_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;

		if (build(&p, cases[i].source, cases[i].options, NULL, &e) < 0) {
			test_fail(__FILE__, __LINE__, "case %zu: %s", i, e.what);
			continue;
		}
		steps_of(&p, &b);
		CHECK_STR(buf_get(&b), cases[i].steps);
	}
}

TEST(mount_plan_refuses_options_that_do_not_go_together)
{
	static const struct {
		const char *source, *options, *what;
	} bad[] = {
		{ "/s", "lower=/a", "'lower' needs a stack" },
		{ "/s", "upper=/a", "'upper' needs a stack" },
		{ "/s", "volatile", "'volatile' needs a stack" },
		{ "/s", "ephemeral", "'ephemeral' needs a stack" },
		{ "/s", "upper-map=none", "'upper-map' needs a stack" },
		{ "/s", "metacopy", "'metacopy' needs a stack" },
		{ "/s", "redirect_dir", "needs a stack" },
		{ "/s", "userxattr", "needs a stack" },
		{ "/s", "map=none,map=+1", "cannot be joined" },
		{ "/s", "map=nonsense", "map" },
		{ "overlay", NULL, "needs its layers" },
		{ "overlay", "upper=/u", "needs its layers" },
		{ "overlay", "lower=/a,upper=/u,ephemeral", "exclude each other" },
		{ "overlay", "lower=/a,work=/w", "needs 'upper'" },
		{ "overlay", "lower=/a,volatile", "'volatile' needs" },
		{ "overlay", "lower=/a,upper-map=none", "'upper-map' needs" },
		{ "overlay", "lower=/a,upper=/u,userxattr,metacopy", "excludes" },
		{ "overlay", "lower=/a,rw", "writable only" },
		{ "/s", "noload", "unknown option 'noload'" },
		{ "/", "commit=5", "unknown option 'commit'" },
		{ "overlay", "lower=/a,noload", "unknown option 'noload'" },
		{ "overlay", "lower=/a,subdir=x", "'subdir' is for" },
		{ "overlay", "lower=/a,loop", "'loop' is for" },
		{ "/s", "bind,type=ext4", "'type' is for" },
		{ "/s", "bind,offset=1", "'offset' is for" },
		{ "UUID=x", "upper=/u", "'upper' needs a stack" },
		{ "/s", "type=overlay", "lower=DIR" },
		{ "UUID=x", "map=owner:root", "'owner:USER' is for" },
		{ "overlay", "lower=/a@x", "the map of layer '/a'" },
		{ "", "ro", "SOURCE must not be empty" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		scoped_mount_plan struct mount_plan p = { 0 };
		struct err e = ERR_INIT;

		if (build(&p, bad[i].source, bad[i].options, NULL, &e) >= 0)
			test_fail(__FILE__, __LINE__, "%s %s is taken", bad[i].source,
				bad[i].options);
		CHECK(e.usage);
		CHECK_HAS(e.what, bad[i].what);
	}
}

TEST(mount_plan_tells_filesystems_by_the_words_where_it_can)
{
	static const struct {
		const char *source, *options;
		int kind;
	} cases[] = {
		{ "/s", NULL, MOUNT_BIND },
		{ "UUID=x", NULL, MOUNT_FS },
		{ "PARTLABEL=x", "ro", MOUNT_FS },
		{ "UUIDx", NULL, MOUNT_BIND },
		{ "/s", "type=ext4", MOUNT_FS },
		{ "/s", "loop", MOUNT_FS },
		{ "/s", "offset=1", MOUNT_FS },
		{ "/s", "sizelimit=1", MOUNT_FS },
		{ "/s", "subdir=d", MOUNT_FS },
		{ "UUID=x", "bind", MOUNT_BIND },
		{ "overlay", "type=tmpfs", MOUNT_FS },
		{ "/", NULL, MOUNT_BIND },
		{ "/dev/null", NULL, MOUNT_BIND },
		{ "overlay", "lower=/a", MOUNT_OVERLAY },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_mount_plan struct mount_plan p = { 0 };
		struct err e = ERR_INIT;

		if (build(&p, cases[i].source, cases[i].options, NULL, &e) < 0)
			test_fail(__FILE__, __LINE__, "case %zu: %s", i, e.what);
		else
			CHECK_INT(p.kind, cases[i].kind);
	}
}

TEST(mount_plan_of_an_image_has_its_layers_and_no_others)
{
	scoped_mount_plan struct mount_plan p = { 0 }, q = { 0 };
	scoped_strv struct strv layers = { 0 };
	struct err e = ERR_INIT;

	REQUIRE(strv_add(&layers, "/store/top") == 0 && strv_add(&layers, "/store/base") == 0);
	REQUIRE(build(&p, "image:x", "map=+100000", &layers, &e) == 0);
	CHECK_INT(p.kind, MOUNT_OVERLAY);
	REQUIRE(p.layers.len == 2);
	CHECK_STR(p.layers.items[0].dir, "/store/top");
	CHECK_STR(p.source, "image:x");
	CHECK(build(&q, "image:x", "lower=/a", &layers, &e) < 0);
}

TEST(mount_plan_takes_500_layers_and_no_more)
{
	scoped_mount_plan struct mount_plan p = { 0 }, q = { 0 };
	scoped_strv struct strv layers = { 0 };
	struct err e = ERR_INIT;

	for (int i = 0; i < 500; i++)
		REQUIRE(strv_add(&layers, "/l") == 0);
	CHECK_INT(build(&p, "image:x", NULL, &layers, &e), 0);
	REQUIRE(strv_add(&layers, "/l") == 0);
	CHECK_INT(build(&q, "image:x", NULL, &layers, &e), -E2BIG);
	CHECK_HAS(e.why, "500");
	CHECK(!e.usage);
}
