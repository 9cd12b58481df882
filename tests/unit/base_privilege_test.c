/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/privilege.h"

TEST(privilege_is_judged_by_ids_file_and_at_secure)
{
	static const struct {
		const char *what;
		struct privilege p;
		int want;
		const char *said;
	} cases[] = {
		{ "root", { .mode = S_IFREG | 0755 }, 0, NULL },
		{ "a user", { .uid = 5, .euid = 5, .gid = 6, .egid = 6, .mode = S_IFREG | 0755 }, 0,
			NULL },
		{ "an LSM", { .secure = true, .mode = S_IFREG | 0755 }, 1, NULL },
		{ "set-uid",
			{ .uid = 5, .gid = 5, .egid = 5, .secure = true, .mode = S_IFREG | 04755 },
			-EPERM, "set-uid or set-gid (mode 4755)" },
		{ "set-uid, by root", { .mode = S_IFREG | 04700 }, -EPERM,
			"set-uid or set-gid (mode 4700)" },
		{ "set-gid", { .mode = S_IFREG | 02710 }, -EPERM,
			"set-uid or set-gid (mode 2710)" },
		{ "mandatory locks", { .mode = S_IFREG | 02705 }, 0, NULL },
		{ "capabilities",
			{ .uid = 5, .euid = 5, .mode = S_IFREG | 0755, .capabilities = true },
			-EPERM, "file capabilities" },
		{ "capabilities, by root", { .mode = S_IFREG | 0755, .capabilities = true }, -EPERM,
			"file capabilities" },
		{ "uids differ", { .uid = 5, .mode = S_IFREG | 0755 }, -EPERM,
			"the real ids are 5:0, the effective ones 0:0" },
		{ "gids differ", { .egid = 5, .mode = S_IFREG | 0755 }, -EPERM,
			"the real ids are 0:0, the effective ones 0:5" },
		{ "no /proc", { .file = ENOENT }, 0, NULL },
		{ "no /proc, and more rights", { .file = ENOENT, .secure = true }, -EPERM,
			"cannot tell" },
		{ "no /proc, ids differ", { .file = ENOENT, .uid = 5 }, -EPERM,
			"the real ids are 5:0" },
		{ "attributes unknown", { .file = EACCES, .mode = S_IFREG | 0755 }, 0, NULL },
		{ "attributes unknown, set-uid", { .file = EACCES, .mode = S_IFREG | 04755 },
			-EPERM, "set-uid" },
		{ "attributes unknown, and more rights",
			{ .file = EACCES, .mode = S_IFREG | 0755, .secure = true }, -EPERM,
			"cannot tell" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		int r = privilege_judge(&cases[i].p, &e);

		if (r != cases[i].want)
			test_fail(__FILE__, __LINE__, "%s: %d, not %d", cases[i].what, r,
				cases[i].want);
		if (cases[i].said) {
			CHECK_HAS(e.what, cases[i].said);
			CHECK(e.why[0] && e.hint[0]);
		} else {
			CHECK(!e.set);
		}
	}
}

TEST(privilege_of_this_process_is_known)
{
	static struct privilege p;

	privilege_read(&p);
	CHECK_INT(p.file, 0);
	CHECK(S_ISREG(p.mode) && !p.capabilities && !p.secure);
	CHECK(p.uid == getuid() && p.euid == geteuid() && p.gid == getgid() && p.egid == getegid());
	CHECK_HAS(p.path, "unit");
	CHECK_INT(privilege_judge(&p, NULL), 0);
}
