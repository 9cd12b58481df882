/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which directories are closed to other users. */

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/base/path.h"
#include "../../lib/base/sys.h"
#include "../../lib/mount/reachable.h"
#include "test.h"

/* top/in/tree and top/in/file; top is open, unless all of /tmp is closed. */
static void stand_in_scratch(void)
{
	char dir[] = "/tmp/shiftbox-unit.XXXXXX";

	REQUIRE(mkdtemp(dir) != NULL && chdir(dir) == 0 && chmod(".", 0755) == 0);
	REQUIRE(mkdir("in", 0755) == 0 && mkdir("in/tree", 0755) == 0);
	REQUIRE(fd_write_file(AT_FDCWD, "in/file", 0644, "text", 4, NULL) == 0);
}

static void leave_scratch(void)
{
	char *dir = getcwd(NULL, 0);

	CHECK(dir && chdir("/") == 0 && fd_remove_tree(AT_FDCWD, dir, NULL) == 0);
	free(dir);
}

static bool closed(const char *path, gid_t group)
{
	scoped_fd int fd = -1;

	REQUIRE(path_open(path, O_PATH, "cannot open it", NULL, &fd, NULL) == 0);
	return reachable_closed_at(fd, group);
}

TEST(reachable_asks_others_and_the_group)
{
	static const struct {
		mode_t mode;
		bool closed;
	} modes[] = {
		{ 0700, true },
		{ 0755, false },
		{ 0711, false },
		{ 0701, false },
		{ 0704, false },
		{ 0702, true },
		{ 0000, true },
		{ 0750, true },
		{ 0710, true },
		{ 0770, true },
		{ 01700, true },
		{ 01777, false },
	};

	stand_in_scratch();
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		scoped_fd int in = open("in", O_PATH | O_CLOEXEC),
			      tree = open("in/tree", O_PATH | O_CLOEXEC);

		REQUIRE(chmod("in", modes[i].mode) == 0);
		CHECK(reachable_closed(tree, REACHABLE_NO_GROUP) == modes[i].closed);
		CHECK(reachable_closed_in(tree, REACHABLE_NO_GROUP) == modes[i].closed);
		CHECK(reachable_closed_in(in, REACHABLE_NO_GROUP) == modes[i].closed);
		CHECK(!reachable_closed(in, REACHABLE_NO_GROUP)); /* its own mode does not count */
		REQUIRE(chmod("in", 0700) == 0);
	}
	leave_scratch();
}

TEST(reachable_takes_the_directory_that_holds_a_file)
{
	scoped_fd int fd = -1;
	char magic[32];

	stand_in_scratch();
	REQUIRE(chmod("in", 0700) == 0);
	CHECK(closed("in/file", REACHABLE_NO_GROUP));
	CHECK(closed("in/tree", REACHABLE_NO_GROUP));
	CHECK(!closed("in", REACHABLE_NO_GROUP));
	REQUIRE(path_open("in/file", O_PATH, "cannot open it", NULL, &fd, NULL) == 0);
	CHECK(closed(fd_proc_path(fd, magic), REACHABLE_NO_GROUP));
	REQUIRE(rename("in/file", "file") == 0);
	REQUIRE(fd_write_file(AT_FDCWD, "in/file", 0644, "text", 4, NULL) == 0);
	CHECK(!reachable_closed_at(fd,
		REACHABLE_NO_GROUP)); /* it is the file that was opened, wherever it is by now */
	REQUIRE(unlink("file") == 0);
	CHECK(!reachable_closed_at(fd, REACHABLE_NO_GROUP)); /* nowhere */
	leave_scratch();
}

/*
 * As root, in a directory with this owner, group and mode (a file is born with them: nothing is
 * chowned).
 */
static bool closed_for(uid_t uid, gid_t gid, mode_t mode, gid_t group)
{
	bool is;

	REQUIRE(rmdir("in/tree") == 0);
	sys_setfsgid(gid);
	sys_setfsuid(uid);
	REQUIRE(mkdir("in/tree", 0700) == 0 && mkdir("in/tree/x", 0755) == 0);
	sys_setfsuid(0);
	sys_setfsgid(0);
	REQUIRE(chmod("in/tree", mode) == 0);
	is = closed("in/tree/x", group);
	REQUIRE(rmdir("in/tree/x") == 0);
	return is;
}

TEST(reachable_trusts_root_the_caller_and_a_group_by_name)
{
	if (geteuid() != 0 || getegid() != 0)
		SKIP("needs root");
	stand_in_scratch();
	REQUIRE(chmod("in", 0777) == 0);
	CHECK(closed_for(0, 0, 0700, REACHABLE_NO_GROUP));
	CHECK(!closed_for(1234, 0, 0700, REACHABLE_NO_GROUP)); /* its owner can open it to all */
	CHECK(!closed_for(0, 1234, 0710, REACHABLE_NO_GROUP));
	CHECK(!closed_for(0, 1234, 0740, REACHABLE_NO_GROUP));
	CHECK(closed_for(0, 1234, 0720, REACHABLE_NO_GROUP));
	CHECK(closed_for(0, 1234, 0710, 1234));
	CHECK(!closed_for(0, 1234, 0711, 1234));
	CHECK(!closed_for(0, 1235, 0710, 1234));
	leave_scratch();
}

TEST(reachable_asks_the_mount_for_its_flags)
{
	scoped_fd int fd = -1;
	struct statvfs fs;

	fd = open("/proc", O_PATH | O_CLOEXEC);
	REQUIRE(fd >= 0 && statvfs("/proc", &fs) == 0);
	CHECK(reachable_mount_has(fd, ST_NOSUID) == !!(fs.f_flag & ST_NOSUID));
	CHECK(reachable_mount_has(fd, ST_NODEV) == !!(fs.f_flag & ST_NODEV));
	CHECK(reachable_mount_has(fd, ST_NOSUID | ST_RDONLY) ==
		(fs.f_flag & ST_NOSUID && fs.f_flag & ST_RDONLY));
}
