/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tree appears under a name by one rename, and nothing is replaced that was not agreed to. */

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/store/publish_dir.h"

/* Enter a directory of the test's own; tests run in a process each. */
static const char *enter(void)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "/tmp/shiftbox-unit.XXXXXX");
	REQUIRE(mkdtemp(path) && chdir(path) == 0);
	return path;
}

static void leave(const char *path)
{
	REQUIRE(chdir("/") == 0);
	CHECK_INT(fd_remove_tree(AT_FDCWD, path, NULL), 0);
}

static void put_file(const char *path)
{
	CHECK_INT(fd_write_file(AT_FDCWD, path, 0600, "x", 1, NULL), 0);
}

TEST(a_tree_is_published_only_where_nothing_is_lost)
{
	static const struct {
		const char *dir;
		bool replace;
		int r;
	} cases[] = {
		{ "new", false, 0 },
		{ "new", true, 0 },
		{ "empty", false, 0 },
		{ "empty/../new/", false, 0 },
		{ "full", false, -ENOTEMPTY },
		{ "full", true, 0 },
		{ "file", false, -ENOTDIR },
		{ "file", true, -ENOTDIR },
		{ "file/new", false, -ENOTDIR },
		{ "nowhere", true, -ENOENT }, /* a link to nothing */
		{ "absent/new", false, -ENOENT },
		{ "link", false, 0 }, /* to an empty directory */
		{ ".", true, -EBUSY },
		{ "/", true, -EBUSY },
		{ "/proc", true, -EBUSY }, /* a mount point */
		{ "", false, -EINVAL },
	};
	const char *dir = enter();

	REQUIRE(mkdir("empty", 0700) == 0 && mkdir("full", 0700) == 0);
	put_file("full/x");
	put_file("file");
	REQUIRE(symlink("absent", "nowhere") == 0 && symlink("empty", "link") == 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct publish_dir p = { .parent = -1 };
		int r = publish_dir_find(cases[i].dir, cases[i].replace, &p, NULL);

		if (r != cases[i].r)
			test_fail(__FILE__, __LINE__, "'%s': %d", cases[i].dir, r);
		if (r == 0)
			publish_dir_done(&p);
	}
	leave(dir);
}

TEST(what_a_tree_replaces_is_what_was_looked_at)
{
	struct publish_dir p;
	const char *dir = enter();
	struct stat made, there;

	REQUIRE(mkdir("old", 0700) == 0 && mkdir("made", 0755) == 0);
	put_file("old/x");
	REQUIRE(publish_dir_find("old", true, &p, NULL) == 0);
	REQUIRE(stat("made", &made) == 0);

	/* Another directory has taken the name since: it stays. */
	REQUIRE(rename("old", "aside") == 0 && mkdir("old", 0700) == 0);
	put_file("old/precious");
	CHECK_INT(publish_dir_rename(&p, AT_FDCWD, "made", NULL), -ESTALE);
	CHECK(access("old/precious", F_OK) == 0);
	REQUIRE(stat("made", &there) == 0);
	CHECK(there.st_ino == made.st_ino);

	REQUIRE(unlink("old/precious") == 0 && rmdir("old") == 0 && rename("aside", "old") == 0);
	CHECK_INT(publish_dir_rename(&p, AT_FDCWD, "made", NULL), 0);
	REQUIRE(stat("old", &there) == 0);
	CHECK(there.st_ino == made.st_ino);
	CHECK(access("made/x", F_OK) == 0); /* what was there, for the caller to remove */
	publish_dir_done(&p);
	leave(dir);
}
