/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trees are removed however deep they are and whatever their modes, and nothing beside them is. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/base/stop.h"
#include "test.h"

static void enter_scratch(char dir[static 32])
{
	(void)snprintf(dir, 32, "/tmp/shiftbox-unit.XXXXXX");
	REQUIRE(mkdtemp(dir) && chdir(dir) == 0);
}

static void leave_scratch(const char *dir)
{
	CHECK(chdir("/") == 0 && rmdir(dir) == 0); /* nothing is left in it */
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

/* A chain of directories, in each of which there is a file; deeper than any path may be long. */
static void make_deep(const char *top, int depth)
{
	scoped_fd int fd = -1;

	REQUIRE(mkdir(top, 0755) == 0);
	fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < depth; i++) {
		int next;

		REQUIRE(mkdirat(fd, "a-directory-with-a-long-name", 0755) == 0);
		REQUIRE(fd_write_file(fd, "file", 0644, "x", 1, NULL) == 0);
		next = openat(fd, "a-directory-with-a-long-name", O_PATH | O_DIRECTORY | O_CLOEXEC);
		REQUIRE(next >= 0);
		cleanup_fd(&fd);
		fd = next;
	}
}

TEST(fd_remove_tree_removes_files_links_and_trees_of_any_depth)
{
	static const int depths[] = { 0, 1, 62, 63, 64, 65, 300 };
	char dir[32];

	enter_scratch(dir);
	CHECK_INT(fd_remove_tree(AT_FDCWD, "none", NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		make_deep("t", depths[i]);
		CHECK_INT(fd_remove_tree(AT_FDCWD, "t", NULL), 0);
		CHECK(!exists("t"));
	}
	REQUIRE(fd_write_file(AT_FDCWD, "f", 0, "", 0, NULL) == 0);
	CHECK_INT(fd_remove_tree(AT_FDCWD, "f", NULL), 0);
	leave_scratch(dir);
}

TEST(fd_remove_tree_follows_no_link)
{
	char dir[32];

	enter_scratch(dir);
	REQUIRE(mkdir("keep", 0755) == 0 && mkdir("t", 0755) == 0);
	REQUIRE(fd_write_file(AT_FDCWD, "keep/file", 0644, "x", 1, NULL) == 0);
	REQUIRE(symlink("../keep", "t/link") == 0 && symlink("keep", "top") == 0);
	CHECK_INT(fd_remove_tree(AT_FDCWD, "t", NULL), 0);
	CHECK_INT(fd_remove_tree(AT_FDCWD, "top", NULL), 0);
	CHECK(!exists("t") && !exists("top") && exists("keep/file"));
	CHECK_INT(fd_remove_tree(AT_FDCWD, "keep", NULL), 0);
	leave_scratch(dir);
}

/* Modes do not bind root, so the test runs as another user. */
TEST(fd_remove_tree_removes_directories_that_are_closed_to_their_owner)
{
	char dir[32];

	if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
		SKIP("there is no other user here");
	enter_scratch(dir);
	make_deep("t", 70);
	REQUIRE(fd_write_file(AT_FDCWD, "t/a-directory-with-a-long-name/unreadable", 0, "", 0,
			NULL) == 0);
	REQUIRE(chmod("t/a-directory-with-a-long-name/a-directory-with-a-long-name", 0) == 0);
	REQUIRE(chmod("t/a-directory-with-a-long-name", 0500) == 0 && chmod("t", 0) == 0);
	CHECK_INT(fd_remove_tree(AT_FDCWD, "t", NULL), 0);
	CHECK(!exists("t"));
	leave_scratch(dir);
}

TEST(fd_remove_opened_removes_by_name_only_an_empty_directory)
{
	struct err e = ERR_INIT;
	scoped_fd int fd = -1;
	char dir[32];

	enter_scratch(dir);
	make_deep("t", 3);
	fd = open("t", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	/* Another process exchanges the name meanwhile. */
	REQUIRE(rename("t", "moved") == 0);
	make_deep("t", 1);
	CHECK_INT(fd_remove_opened(AT_FDCWD, "t", fd, &e), -ENOTEMPTY);
	CHECK(exists("t/file"));
	CHECK(rmdir("moved") == 0); /* it was emptied */
	CHECK_INT(fd_remove_tree(AT_FDCWD, "t", NULL), 0);
	leave_scratch(dir);
}

TEST(fd_remove_tree_stops_when_the_process_must_end_at_once)
{
	struct err e = ERR_INIT;
	char dir[32];

	enter_scratch(dir);
	make_deep("t", 3);
	stop_hurry();
	CHECK_INT(fd_remove_tree(AT_FDCWD, "t", &e), -ECANCELED);
	CHECK(exists("t"));
	CHECK(system("rm -r t") == 0);
	leave_scratch(dir);
}
