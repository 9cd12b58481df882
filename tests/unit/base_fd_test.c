/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/base/path.h"
#include "../../lib/base/sys.h"

/* A new directory, gone at the end of the test's process. */
static char top[64];

static void remove_top(void)
{
	(void)fd_remove_tree(AT_FDCWD, top, NULL);
}

static int scratch(void)
{
	int fd;

	(void)snprintf(top, sizeof(top), "/tmp/shiftbox-unit.XXXXXX");
	REQUIRE(mkdtemp(top));
	(void)atexit(remove_top);
	REQUIRE(fd_open_dir(AT_FDCWD, top, &fd, NULL) == 0);
	return fd;
}

static void put(int dirfd, const char *path, const char *text)
{
	REQUIRE(fd_write_file(dirfd, path, 0644, text, strlen(text), NULL) == 0);
}

static bool exists(int dirfd, const char *path)
{
	return faccessat(dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * Go on as an ordinary user, in a child: the parent, which may be root, waits and takes the scratch
 * directory away.
 */
static void drop_root(int dirfd)
{
	pid_t pid;
	int status;

	/* A directory is not chowned here either: everyone may write to it. */
	REQUIRE(fchmod(dirfd, 0777) == 0);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid > 0) {
		REQUIRE(waitpid(pid, &status, 0) == pid);
		CHECK_INT(status, 0);
		test_stop();
	}
	if (geteuid() == 0)
		REQUIRE(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
}

TEST(fd_refuses_what_is_no_regular_file_without_waiting)
{
	int d = scratch(), fd;
	struct err e;

	REQUIRE(mkfifoat(d, "fifo", 0600) == 0);
	REQUIRE(mkdirat(d, "dir", 0700) == 0);
	put(d, "file", "x");
	REQUIRE(symlinkat("file", d, "link") == 0);

	CHECK(fd_open_regular(d, "fifo", 0, &fd, &e) < 0);
	CHECK_HAS(e.what, "FIFO");
	CHECK_INT(fd_open_regular(d, "dir", 0, &fd, &e), -EISDIR);
	CHECK_INT(fd_open_regular(d, "link", O_NOFOLLOW, &fd, &e), -ELOOP);
	CHECK_INT(fd_open_regular(AT_FDCWD, "/dev/zero", 0, &fd, &e), -EINVAL);
	REQUIRE(fd_open_regular(d, "link", 0, &fd, &e) == 0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

TEST(fd_open_beneath_stays_beneath)
{
	static const char *const bad[] = { "../x", "/etc/passwd", "dir/../../x", "out",
		"out/passwd", "dir/link", "loop" };
	int d = scratch(), fd;
	struct err e;

	REQUIRE(mkdirat(d, "dir", 0700) == 0);
	put(d, "dir/file", "x");
	REQUIRE(symlinkat("/etc", d, "out") == 0);
	REQUIRE(symlinkat("file", d, "dir/link") == 0);
	REQUIRE(symlinkat("loop", d, "loop") == 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (fd_open_beneath(d, bad[i], O_RDONLY, &fd, &e) >= 0)
			test_fail(__FILE__, __LINE__, "'%s' is opened", bad[i]);
	CHECK_INT(fd_open_beneath(d, "dir/file", O_RDONLY, &fd, &e), 0);
	CHECK_INT(fd_open_beneath(d, "dir/../dir/file", O_RDONLY, &fd, &e), 0);
}

TEST(fd_read_limit_is_exact)
{
	scoped_buf struct buf b = BUF_INIT;
	int d = scratch();
	struct err e;

	put(d, "file", "12345678");
	CHECK_INT(fd_read_file(d, "file", 8, &b, &e), 0);
	CHECK_STR(buf_get(&b), "12345678");
	CHECK_INT(fd_read_file(d, "file", 7, &b, &e), -EFBIG);
	CHECK_INT(fd_read_file(d, "none", 8, &b, &e), -ENOENT);
}

TEST(fd_write_file_overwrites_nothing)
{
	int d = scratch();
	struct err e;

	put(d, "file", "old");
	CHECK_INT(fd_write_file(d, "file", 0644, "new", 3, &e), -EEXIST);
	REQUIRE(symlinkat("nowhere", d, "link") == 0);
	CHECK_INT(fd_write_file(d, "link", 0644, "new", 3, &e), -EEXIST);
	CHECK(!exists(d, "nowhere"));
}

/* Of path_make_dir(). */
static int make(const char *path, mode_t mode)
{
	scoped_fd int fd = -1;

	return path_make_dir(path, mode, "cannot make it", &fd, NULL);
}

TEST(path_make_dir_makes_what_is_missing)
{
	int d = scratch();
	char path[128];
	struct stat st;

	(void)umask(0);
	REQUIRE(fchdir(d) == 0);
	CHECK_INT(make("a/b/c", 0700), 0);
	CHECK_INT(make("a/b/c", 0700), 0);
	CHECK_INT(make("a//b/d//", 0711), 0);
	REQUIRE(stat("a/b/d", &st) == 0);
	CHECK_INT(st.st_mode & 07777, 0711);
	REQUIRE(stat("a/b", &st) == 0);
	CHECK_INT(st.st_mode & 07777, 0755);
	(void)snprintf(path, sizeof(path), "%s/e", top);
	CHECK_INT(make(path, 0700), 0);
	CHECK_INT(make("", 0700), -ENOENT);
	CHECK_INT(make("/", 0700), 0);
	put(d, "file", "x");
	CHECK_INT(make("file", 0700), -ENOTDIR);
	CHECK_INT(make("file/x", 0700), -ENOTDIR);
}

TEST(fd_remove_tree_takes_any_single_entry)
{
	int d = scratch();
	struct err e;

	put(d, "file", "x");
	REQUIRE(symlinkat("/etc", d, "link") == 0);
	REQUIRE(mkfifoat(d, "fifo", 0) == 0);
	REQUIRE(mkdirat(d, "dir", 0) == 0);
	CHECK_INT(fd_remove_tree(d, "file", &e), 0);
	CHECK_INT(fd_remove_tree(d, "link", &e), 0);
	CHECK_INT(fd_remove_tree(d, "fifo", &e), 0);
	CHECK_INT(fd_remove_tree(d, "dir", &e), 0);
	CHECK_INT(fd_remove_tree(d, "never there", &e), 0);
	CHECK(exists(AT_FDCWD, "/etc"));
	CHECK(!exists(d, "file") && !exists(d, "link") && !exists(d, "fifo") && !exists(d, "dir"));
}

TEST(fd_remove_tree_does_not_follow_links)
{
	int d = scratch();
	struct err e;

	REQUIRE(mkdirat(d, "keep", 0700) == 0);
	put(d, "keep/file", "x");
	REQUIRE(mkdirat(d, "tree", 0700) == 0);
	REQUIRE(symlinkat("../keep", d, "tree/link") == 0);
	CHECK_INT(fd_remove_tree(d, "tree", &e), 0);
	CHECK(exists(d, "keep/file"));
}

/*
 * Files and two directories on each level: longer than PATH_MAX, deeper than the limit of open
 * files.
 */
static void make_deep(int d, const char *name, int levels)
{
	int fd = -1, below;

	REQUIRE(mkdirat(d, name, 0700) == 0);
	REQUIRE(fd_open_dir(d, name, &fd, NULL) == 0);
	for (int i = 0; i < levels; i++) {
		put(fd, "file", "x");
		/* Names that removal itself would like to use. */
		REQUIRE(mkdirat(fd, ".shiftbox-deep-1", 0700) == 0 &&
			mkdirat(fd, ".shiftbox-deep-1/x", 0700) == 0);
		REQUIRE(mkdirat(fd, "a rather long name of a directory", 0700) == 0);
		REQUIRE(fd_open_dir(fd, "a rather long name of a directory", &below, NULL) == 0);
		(void)close(fd);
		fd = below;
	}
	(void)close(fd);
}

TEST(fd_remove_tree_takes_a_tree_deeper_than_open_files_allow)
{
	struct rlimit few = { 100, 100 };
	int d = scratch();
	struct err e;

	make_deep(d, "tree", 300);
	REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
	CHECK_INT(fd_remove_tree(d, "tree", &e), 0);
	CHECK(!exists(d, "tree"));
}

TEST(fd_remove_tree_takes_a_wide_tree)
{
	int d = scratch();
	char name[64];

	REQUIRE(mkdirat(d, "tree", 0700) == 0);
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(name, sizeof(name), "tree/%d", i);
		REQUIRE(mkdirat(d, name, 0700) == 0);
		(void)snprintf(name, sizeof(name), "tree/%d/x", i);
		REQUIRE(mkdirat(d, name, 0700) == 0);
	}
	CHECK_INT(fd_remove_tree(d, "tree", NULL), 0);
	CHECK(!exists(d, "tree"));
}

TEST(fd_remove_tree_of_an_ordinary_user_gets_past_modes)
{
	static const mode_t modes[] = { 0, 0100, 0200, 0400, 0500, 0555 };
	int d = scratch();
	char name[64];
	struct err e;

	drop_root(d);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		make_deep(d, "tree", 70);
		(void)snprintf(name, sizeof(name), "tree/m");
		REQUIRE(mkdirat(d, name, 0700) == 0 && mkdirat(d, "tree/m/sub", 0700) == 0);
		put(d, "tree/m/sub/file", "x");
		REQUIRE(fchmodat(d, "tree/m/sub", modes[i], 0) == 0);
		REQUIRE(fchmodat(d, "tree/m", modes[i], 0) == 0);
		REQUIRE(fchmodat(d, "tree", modes[i], 0) == 0);
		CHECK_INT(fd_remove_tree(d, "tree", &e), 0);
		CHECK(!exists(d, "tree"));
	}
}

static bool private_mounts(void)
{
	if (geteuid() != 0)
		return false;
	return unshare(CLONE_NEWNS) == 0 &&
		sys_mount(NULL, "/", NULL, 0x44000 /* MS_REC | MS_PRIVATE */, NULL) == 0;
}

TEST(fd_remove_tree_refuses_to_cross_a_mount)
{
	int d;
	struct err e;

	if (!private_mounts())
		SKIP("needs root");
	d = scratch();
	REQUIRE(fchdir(d) == 0);
	REQUIRE(mkdir("keep", 0700) == 0 && mkdir("tree", 0700) == 0 &&
		mkdir("tree/sub", 0700) == 0 && mkdir("tree/sub/mnt", 0700) == 0);
	put(d, "keep/file", "x");

	/* A bind mount of the same filesystem: the device number would not tell it apart. */
	REQUIRE(sys_mount("keep", "tree/sub/mnt", NULL, 4096 /* MS_BIND */, NULL) == 0);
	CHECK_INT(fd_remove_tree(d, "tree", &e), -EBUSY);
	CHECK_HAS(e.what, "mounted");
	CHECK(exists(d, "keep/file"));
	CHECK_INT(fd_remove_tree(d, "tree/sub/mnt", &e), -EBUSY);
	CHECK(exists(d, "keep/file"));
	REQUIRE(sys_umount2("tree/sub/mnt", 0) == 0);
	CHECK_INT(fd_remove_tree(d, "tree", &e), 0);
}

static atomic_bool renamed_enough;

static void *rename_all_the_time(void *arg)
{
	const int *d = arg;

	while (!renamed_enough && renameat(*d, "x", *d, "y") == 0 &&
		renameat(*d, "y", *d, "x") == 0)
		;
	return NULL;
}

/* openat2(2): EAGAIN, if anything was renamed while ".." was resolved. */
TEST(fd_open_beneath_outlives_renames)
{
	int d = scratch(), r = 0;
	pthread_t thread;
	struct err e = ERR_INIT;

	REQUIRE(mkdirat(d, "a", 0700) == 0 && mkdirat(d, "x", 0700) == 0);
	REQUIRE(pthread_create(&thread, NULL, rename_all_the_time, &d) == 0);
	for (int i = 0; i < 20000 && r == 0; i++) {
		scoped_fd int fd = -1;

		r = fd_open_beneath(d, "a/../a/../a/../a", O_PATH, &fd, &e);
	}
	renamed_enough = true;
	REQUIRE(pthread_join(thread, NULL) == 0);
	CHECK_INT(r, 0);
}
