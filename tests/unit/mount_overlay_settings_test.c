/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options that are passed on to OverlayFS. */

#include "test.h"

#include <errno.h>
#include <string.h>

#include "../../lib/mount/overlay_settings.h"

static int check_one(const char *name, const char *value, bool sloppy, struct err *e)
{
	const struct fs_option o = { (char *)name, (char *)value };

	return overlay_settings_check(&o, 1, sloppy, e);
}

TEST(settings_of_overlays_have_the_values_of_overlayfs)
{
	static const struct {
		const char *name, *value;
		bool good;
	} cases[] = {
		{ "index", "on", true },
		{ "index", "off", true },
		{ "index", "o", false },
		{ "index", "on|off", false },
		{ "index", "", false },
		{ "index", NULL, false },
		{ "xino", "auto", true },
		{ "verity", "require", true },
		{ "verity", "auto", false },
		{ "redirect_dir", "nofollow", true },
		{ "default_permissions", NULL, true },
		{ "default_permissions", "on", false },
		{ "context", "u:r:t:s0:c1,c2", true },
		{ "context", "", false },
		{ "nonsense", NULL, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		int r = check_one(cases[i].name, cases[i].value, false, &e);

		CHECK((r == 0) == cases[i].good);
		CHECK(r == 0 || e.usage);
	}
}

TEST(sloppy_ignores_only_options_that_overlayfs_does_not_have)
{
	struct err e = ERR_INIT;

	CHECK(check_one("nonsense", "x", true, &e) == 0);
	CHECK(check_one("index", "x", true, &e) < 0);
}

TEST(options_of_mount_8_are_told_by_their_names_here)
{
	static const struct {
		const char *name, *value, *hint;
	} cases[] = {
		{ "lowerdir", "/a:/b:/c", "lower=/a,lower=/b,lower=/c" },
		{ "lowerdir", "/a\\:b:/c", "lower=/a:b,lower=/c" },
		{ "lowerdir+", "/a", "lower=/a" },
		{ "upperdir", "/u", "upper=/u" },
		{ "workdir", "/w", "work=/w" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;

		CHECK(check_one(cases[i].name, cases[i].value, false, &e) < 0);
		CHECK(strstr(e.hint, cases[i].hint));
	}
}

TEST(a_setting_that_overlayfs_switched_is_an_error)
{
	static const struct {
		const char *name, *value, *shown;
		bool good;
	} cases[] = {
		{ "xino", "on", "rw,xino=on", true },
		{ "xino", "on", "rw,xino=off", false },
		{ "xino", "on", "rw", true }, /* it is not shown for one filesystem */
		{ "verity", "on", "rw,verity=on", true },
		{ "verity", "on", "rw,lowerdir=verity=on", false },
		{ "verity", "off", "rw", true },
		{ "default_permissions", NULL, "rw,default_permissions", true },
		{ "default_permissions", NULL, "rw,default_permissions_x", false },
		{ "default_permissions", NULL, "rw", false },
		{ "context", "a", "rw", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fs_option o = { (char *)cases[i].name, (char *)cases[i].value };
		struct mount_plan p = { .kind = MOUNT_OVERLAY, .source = (char *)"overlay" };
		struct err e = ERR_INIT;

		REQUIRE(VEC_ADD(&p.fs_options, o) == 0);
		CHECK((overlay_settings_verify(&p, cases[i].shown, &e) == 0) == cases[i].good);
		VEC_DONE(&p.fs_options);
	}
}
