/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening and creating the target of a mount, and directory entries by path. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/mount/common_dir.h"
#include "../../lib/mount/dirent_at.h"
#include "../../lib/mount/target.h"
#include "test.h"

static void enter_scratch(void)
{
	char dir[] = "/tmp/shiftbox-unit.XXXXXX";

	REQUIRE(mkdtemp(dir) != NULL && chdir(dir) == 0);
	REQUIRE(mkdir("dir", 0755) == 0 && symlink("dir", "link") == 0);
	REQUIRE(fd_write_file(AT_FDCWD, "file", 0644, "text", 4, NULL) == 0);
}

static void leave_scratch(void)
{
	char *dir = getcwd(NULL, 0);

	CHECK(dir && chdir("/") == 0 && fd_remove_tree(AT_FDCWD, dir, NULL) == 0);
	free(dir);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

TEST(a_target_is_of_the_type_of_what_is_mounted_and_no_link)
{
	static const struct {
		const char *path;
		bool want_dir, follow;
		int r;
	} rows[] = {
		{ "dir", true, false, 0 },
		{ "dir/", true, false, 0 },
		{ "file", false, false, 0 },
		{ "dir", false, false, -EISDIR },
		{ "file", true, false, -ENOTDIR },
		{ "link", true, false, -ELOOP },
		{ "link/", true, false, -ELOOP },
		{ "link", true, true, 0 },
		{ "missing", true, false, -ENOENT },
	};

	enter_scratch();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct target_how how = { .want_dir = rows[i].want_dir,
			.follow = rows[i].follow };
		struct target t = TARGET_INIT;
		struct err e = ERR_INIT;

		CHECK_INT(target_open(rows[i].path, &how, &t, &e), rows[i].r);
		target_done(&t);
	}
	leave_scratch();
}

TEST(a_target_that_was_created_is_removed_again_unless_it_is_in_use)
{
	const struct target_how dir = { .want_dir = true, .create = true, .mode = 0750 };
	const struct target_how file = { .create = true, .mode = 0640 };
	struct target t = TARGET_INIT;
	struct err e = ERR_INIT;
	struct stat st;

	enter_scratch();
	REQUIRE(target_open("new/a/b", &dir, &t, &e) == 0);
	CHECK(stat("new/a/b", &st) == 0 && (st.st_mode & 07777) == 0750);
	CHECK(stat("new/a", &st) == 0 && (st.st_mode & 07777) == 0755);
	target_undo(&t);
	target_done(&t);
	CHECK(!exists("new"));

	REQUIRE(target_open("dir/f", &file, &t, &e) == 0);
	CHECK(stat("dir/f", &st) == 0 && S_ISREG(st.st_mode));
	target_undo(&t);
	target_done(&t);
	CHECK(!exists("dir/f") && exists("dir"));

	REQUIRE(target_open("new/a", &dir, &t, &e) == 0);
	CHECK_INT(mkdir("new/other", 0755), 0);
	target_undo(&t);
	target_done(&t);
	CHECK(!exists("new/a") && exists("new/other"));

	CHECK_INT(target_open("fresh/file", &file, &t, &e), 0);
	target_done(&t);
	CHECK_INT(target_open("fresh/file/x", &dir, &t, &e), -ENOTDIR);
	leave_scratch();
}

TEST(a_directory_entry_is_the_last_name_of_a_path_not_followed)
{
	static const struct {
		const char *path, *name; /* NULL: it does not end in a name */
	} rows[] = {
		{ "dir", "dir" },
		{ "dir/missing", "missing" },
		{ "./dir//", "dir" },
		{ "link", "link" },
		{ "link/", "link" },
		{ "/", NULL },
		{ "//", NULL },
		{ ".", NULL },
		{ "dir/..", NULL },
		{ "dir/./", NULL },
	};

	enter_scratch();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scoped_place struct place at = PLACE_INIT;
		struct err e = ERR_INIT;
		int r = dirent_at_open(rows[i].path, "be it", &at, &e);

		CHECK_INT(r, rows[i].name ? 0 : -EINVAL);
		if (r == 0)
			CHECK_STR(at.name, rows[i].name);
	}
	leave_scratch();
}

TEST(the_common_directory_of_two_entries_is_the_deepest)
{
	static const struct {
		const char *first, *second, *a, *b;
	} rows[] = {
		{ "dir/upper", "dir/work", "upper", "work" },
		{ "dir/x/upper", "dir/work", "x/upper", "work" },
		{ "dir/upper", "dir/x/y/work", "upper", "x/y/work" },
		{ "upper", "dir/x/work", "upper", "dir/x/work" },
	};

	enter_scratch();
	REQUIRE(mkdir("dir/x", 0755) == 0 && mkdir("dir/x/y", 0755) == 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scoped_place struct place first = PLACE_INIT, second = PLACE_INIT;
		scoped_common_dir struct common_dir c = COMMON_DIR_INIT;
		struct err e = ERR_INIT;

		REQUIRE(dirent_at_open(rows[i].first, "be it", &first, &e) == 0 &&
			dirent_at_open(rows[i].second, "be it", &second, &e) == 0);
		REQUIRE(common_dir_find(&first, &second, &c, &e) == 0);
		CHECK_STR(c.first, rows[i].a);
		CHECK_STR(c.second, rows[i].b);
	}
	leave_scratch();
}
