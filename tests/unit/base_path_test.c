/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rule for symbolic links on the way of an operator's path, and what a path's place is. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/base/path.h"
#include "test.h"

/* A directory of our own to stand in: each test is a process of its own. */
static void stand_in_scratch(void)
{
	char dir[] = "/tmp/shiftbox-unit.XXXXXX";

	CHECK(mkdtemp(dir) != NULL);
	CHECK(chdir(dir) == 0);
	CHECK(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0);
	CHECK(fd_write_file(AT_FDCWD, "d/f", 0644, "text", 4, NULL) == 0);
}

static void leave_scratch(void)
{
	char *dir = getcwd(NULL, 0);

	CHECK(dir && chdir("/") == 0 && fd_remove_tree(AT_FDCWD, dir, NULL) == 0);
	free(dir);
}

/* What path_open() tells of a path, and that it opened the file that stat(2) finds at want. */
static int opens(const char *path, int flags, const char *want)
{
	scoped_place struct place at = PLACE_INIT;
	struct err e = ERR_INIT;
	struct stat a, b;
	scoped_fd int fd = -1, again = -1;
	int r = path_open(path, flags, "cannot open it", NULL, &fd, &e);

	CHECK(path_open(path, flags, "cannot open it", &at, &again, &e) == r);
	if (r < 0 || !want)
		return r;
	CHECK(fstat(fd, &a) == 0 && stat(want, &b) == 0);
	CHECK(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	CHECK(fstat(again, &a) == 0 && a.st_ino == b.st_ino);
	if (at.dirfd >= 0 && strcmp(at.name, "..")) {
		CHECK(fstatat(at.dirfd, at.name, &a, 0) == 0);
		CHECK(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	}
	return r;
}

TEST(path_follows_the_callers_own_links)
{
	static const struct {
		const char *link, *to;
	} links[] = {
		{ "file", "d/f" },
		{ "dir", "d" },
		{ "d/up", ".." },
		{ "d/e/chain", "../../file" },
		{ "slash", "d/e/" },
	};

	stand_in_scratch();
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		CHECK(symlink(links[i].to, links[i].link) == 0);
	CHECK(opens("file", O_RDONLY, "d/f") == 0);
	CHECK(opens("dir/f", O_RDONLY, "d/f") == 0);
	CHECK(opens("dir/", O_RDONLY | O_DIRECTORY, "d") == 0);
	CHECK(opens("./dir/../dir//f", O_PATH, "d/f") == 0);
	CHECK(opens("d/up/d/e/chain", O_RDONLY, "d/f") == 0);
	CHECK(opens("slash/../f", O_PATH, "d/f") == 0);
	CHECK(opens("/", O_PATH, "/") == 0);
	CHECK(opens("..", O_PATH | O_DIRECTORY, "..") == 0);
	leave_scratch();
}

TEST(path_fails_as_open_does)
{
	stand_in_scratch();
	CHECK(symlink("nowhere", "dangling") == 0 && symlink("loop", "loop") == 0);
	CHECK(opens("", O_PATH, NULL) == -ENOENT);
	CHECK(opens("missing", O_PATH, NULL) == -ENOENT);
	CHECK(opens("missing/f", O_PATH, NULL) == -ENOENT);
	CHECK(opens("dangling", O_RDONLY, NULL) == -ENOENT);
	CHECK(opens("loop", O_RDONLY, NULL) == -ELOOP);
	CHECK(opens("loop/f", O_RDONLY, NULL) == -ELOOP);
	CHECK(opens("d/f/", O_PATH, NULL) == -ENOTDIR);
	CHECK(opens("d/f/x", O_PATH, NULL) == -ENOTDIR);
	CHECK(opens("d/f", O_PATH | O_DIRECTORY, NULL) == -ENOTDIR);
	CHECK(opens("dangling", O_RDONLY | O_NOFOLLOW, NULL) == -ELOOP);
	leave_scratch();
}

TEST(path_does_not_follow_a_link_that_others_can_exchange)
{
	stand_in_scratch();
	CHECK(mkdir("open", 0700) == 0 && symlink("../d", "open/l") == 0 &&
		symlink("d/f", "to-file") == 0);
	CHECK(chmod("open", 0777) == 0);
	CHECK(opens("open/l", O_PATH, NULL) == -ELOOP);
	CHECK(opens("open/l/f", O_PATH, NULL) == -ELOOP);
	CHECK(opens("open/../d/f", O_PATH, "d/f") == 0);
	/* Sticky: others may add to it, not exchange. */
	CHECK(chmod("open", 01777) == 0);
	CHECK(opens("open/l/f", O_PATH, "d/f") == 0);
	/* On the way of another link. */
	CHECK(chmod("open", 0777) == 0 && symlink("open/l", "first") == 0);
	CHECK(opens("first/f", O_PATH, NULL) == -ELOOP);
	leave_scratch();
}

TEST(path_does_not_follow_a_link_of_another_user)
{
	struct err e = ERR_INIT;
	int fd;

	if (geteuid() != 0)
		SKIP("needs root");
	stand_in_scratch();
	CHECK(mkdir("theirs", 0755) == 0 && symlink("../d", "theirs/l") == 0 &&
		symlink("d", "root-dir") == 0);
	/* Their link in our directory; our link in their directory; theirs in theirs. */
	CHECK(lchown("root-dir", 4711, 4711) == 0);
	CHECK(path_open("root-dir/f", O_PATH, "cannot open it", NULL, &fd, &e) == -ELOOP);
	CHECK(!strcmp(e.op, "link") && strstr(e.why, "4711"));
	CHECK(chown("theirs", 4711, 4711) == 0);
	CHECK(opens("theirs/l", O_PATH, NULL) == -ELOOP);
	CHECK(lchown("theirs/l", 4711, 4711) == 0);
	CHECK(opens("theirs/l/f", O_PATH, NULL) == -ELOOP);
	/* They themselves may. */
	CHECK(chmod(".", 0711) == 0 && seteuid(4711) == 0);
	CHECK(opens("theirs/l/f", O_PATH, "d/f") == 0);
	CHECK(opens("root-dir/f", O_PATH, "d/f") == 0);
	CHECK(seteuid(0) == 0);
	leave_scratch();
}

TEST(path_takes_open_files_of_proc)
{
	char path[32];
	scoped_fd int file = -1, dir = -1;
	struct place at = PLACE_INIT;
	struct stat a, b;
	int fd = -1;

	stand_in_scratch();
	file = open("d/f", O_RDONLY | O_CLOEXEC);
	dir = open("d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(opens(fd_proc_path(file, path), O_RDONLY, "d/f") == 0);
	CHECK(opens(fd_proc_path(dir, path), O_PATH, "d") == 0);
	CHECK(path_open(fd_proc_path(file, path), O_RDONLY, "cannot open it", &at, &fd, NULL) == 0);
	CHECK(fstat(fd, &a) == 0 && stat("d/f", &b) == 0 && a.st_ino == b.st_ino && at.dirfd == -1);
	CHECK(close(fd) == 0);
	CHECK(opens("/proc/self/cwd/d/f", O_PATH, "d/f") == 0);
	CHECK(opens("/dev/fd", O_RDONLY | O_DIRECTORY, NULL) == 0);
	leave_scratch();
}

TEST(path_find_tells_the_place_of_what_is_not_there)
{
	static const struct {
		const char *path;
		bool follow;
		const char *dir, *name;
	} cases[] = {
		{ "d/new", true, "d", "new" },
		{ "d/new/", true, "d", "new" },
		{ "link", false, ".", "link" },
		{ "link", true, "d", "new" },
		{ "dir/new", false, "d", "new" },
		{ "dir", true, ".", "d" },
		{ "d/..", true, ".", "." },
		{ "/", true, "/", "." },
	};

	stand_in_scratch();
	CHECK(symlink("d/new", "link") == 0 && symlink("d", "dir") == 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_place struct place at = PLACE_INIT;
		struct stat a, b;

		CHECK(path_find(cases[i].path, cases[i].follow, "cannot find it", &at, NULL) == 0);
		CHECK(fstat(at.dirfd, &a) == 0 && stat(cases[i].dir, &b) == 0);
		CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
		CHECK(!strcmp(at.name, cases[i].name));
	}
	leave_scratch();
}

TEST(path_open_creates_where_a_link_leads)
{
	struct stat st;
	int fd = -1;

	stand_in_scratch();
	CHECK(umask(0) != (mode_t)-1 && symlink("d/new", "link") == 0);
	CHECK(path_open("link", O_WRONLY | O_CREAT, "cannot create it", NULL, &fd, NULL) == 0);
	CHECK(stat("d/new", &st) == 0 && (st.st_mode & 07777) == 0600);
	CHECK(close(fd) == 0);
	CHECK(path_open("link", O_WRONLY | O_CREAT | O_NOFOLLOW, "cannot create it", NULL, &fd,
		      NULL) == -ELOOP);
	leave_scratch();
}

TEST(path_stat_follows_by_the_rule)
{
	struct stat a, b;

	stand_in_scratch();
	CHECK(symlink("d/f", "link") == 0 && symlink("nowhere", "dangling") == 0 &&
		mkdir("open", 0700) == 0);
	CHECK(symlink("../d", "open/l") == 0 && chmod("open", 0777) == 0);
	CHECK(path_stat("link", true, &a) == 0 && stat("d/f", &b) == 0 && a.st_ino == b.st_ino);
	CHECK(path_stat("link", false, &a) == 0 && S_ISLNK(a.st_mode));
	CHECK(path_stat("dangling", true, &a) == -ENOENT);
	CHECK(path_stat("open/l", true, &a) == -ELOOP &&
		path_stat("open/l/f", false, &a) == -ELOOP);
	leave_scratch();
}

TEST(path_open_regular_waits_for_nothing)
{
	struct err e = ERR_INIT;
	int fd = -1;

	stand_in_scratch();
	CHECK(mkfifo("fifo", 0600) == 0 && symlink("d/f", "link") == 0);
	CHECK(path_open_regular("fifo", &fd, &e) == -EINVAL && strstr(e.what, "a FIFO"));
	CHECK(path_open_regular("d", &fd, NULL) == -EISDIR);
	CHECK(path_open_regular("link", &fd, NULL) == 0 && close(fd) == 0);
	leave_scratch();
}

TEST(path_open_makes_nameless_files)
{
	struct stat st;
	int fd = -1;

	stand_in_scratch();
	CHECK(symlink("d", "dir") == 0);
	CHECK(path_open("dir", O_TMPFILE | O_RDWR, "cannot make it", NULL, &fd, NULL) == 0);
	CHECK(fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0 &&
		(st.st_mode & 0777) == 0600 && close(fd) == 0);
	leave_scratch();
}

TEST(path_place_of_is_where_the_open_file_is)
{
	struct place at = PLACE_INIT;
	scoped_fd int fd = -1, root = -1;
	struct stat a, b;

	stand_in_scratch();
	fd = open("d/f", O_PATH | O_CLOEXEC);
	CHECK(path_place_of(fd, &at) == 0 && !strcmp(at.name, "f") && fstat(at.dirfd, &a) == 0 &&
		stat("d", &b) == 0);
	CHECK(a.st_ino == b.st_ino);
	place_done(&at);
	CHECK(rename("d/f", "d/e/g") == 0 &&
		fd_write_file(AT_FDCWD, "d/f", 0644, "text", 4, NULL) == 0);
	CHECK(path_place_of(fd, &at) == 0 && !strcmp(at.name, "g"));
	place_done(&at);
	CHECK(unlink("d/e/g") == 0 && path_place_of(fd, &at) == -ENOENT);
	root = open("/", O_PATH | O_CLOEXEC);
	CHECK(path_place_of(root, &at) == -ENOENT);
	leave_scratch();
}

static int make_0711(void *arg, int dirfd, const char *name, struct err *e)
{
	(void)e;
	*(int *)arg += 1;
	return fd_make_dir(dirfd, name, 0711) == 0 ? 0 : -errno;
}

TEST(path_find_or_make_makes_the_directories_above)
{
	struct place at = PLACE_INIT;
	struct stat st;
	int made = 0;

	stand_in_scratch();
	(void)umask(077);
	CHECK(symlink("d", "dir") == 0);
	CHECK(path_find_or_make("dir/a/b/new", true, "cannot find it",
		      &(struct path_maker){ make_0711, &made }, &at, NULL) == 0);
	CHECK(made == 2 && !strcmp(at.name, "new") && stat("d/a/b", &st) == 0 &&
		(st.st_mode & 0777) == 0711);
	CHECK(fstatat(at.dirfd, "new", &st, 0) < 0);
	place_done(&at);
	CHECK(path_find_or_make("d/f/x/y", true, "cannot find it",
		      &(struct path_maker){ make_0711, &made }, &at, NULL) == -ENOTDIR);
	CHECK(path_find_or_make("dir/a/b/../new", true, "cannot find it",
		      &(struct path_maker){ make_0711, &made }, &at, NULL) == 0 &&
		made == 2);
	place_done(&at);
	leave_scratch();
}

TEST(path_follows_in_directories_of_the_private_group_alone)
{
	if (geteuid() != 0)
		SKIP("needs root");
	stand_in_scratch();
	CHECK(mkdir("own", 0700) == 0 && mkdir("other", 0700) == 0 &&
		symlink("../d", "own/l") == 0 && symlink("../d", "other/l") == 0);
	CHECK(chmod("own", 0775) == 0 && opens("own/l/f", O_PATH, "d/f") == 0);
	CHECK(chown("other", 0, 50) == 0 && chmod("other", 0775) == 0 &&
		opens("other/l/f", O_PATH, NULL) == -ELOOP);
	/* A group that is another's private one, or the caller's but not by number. */
	CHECK(chown("own", 0, 4711) == 0 && setegid(4711) == 0 &&
		opens("own/l/f", O_PATH, NULL) == -ELOOP);
	CHECK(setegid(0) == 0);
	leave_scratch();
}

TEST(path_below_compares_whole_components)
{
	static const struct {
		const char *path, *dir, *rest;
	} cases[] = {
		{ "/a/b", "/a", "/b" },
		{ "/a/b/c", "/a", "/b/c" },
		{ "/a", "/a", "" },
		{ "/ab", "/a", NULL },
		{ "/", "/a", NULL },
		{ "/b/a", "/a", NULL },
		{ "/a", "/a/b", NULL },
		{ "/", "/", "" },
		{ "/a/b", "/", "/a/b" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *rest = path_below(cases[i].path, cases[i].dir);

		if (cases[i].rest)
			CHECK_STR(rest, cases[i].rest);
		else
			CHECK(!rest);
	}
}

static void check_closed(const char *path, const char *want)
{
	scoped_buf struct buf b = BUF_INIT;

	CHECK_INT(path_closed(path, &b), want[0] != '\0');
	CHECK_STR(buf_get(&b), want);
}

TEST(path_closed_names_the_first_directory_that_may_not_be_searched)
{
	scoped_fd int fd = -1;
	scoped_free char *here = NULL;
	scoped_buf struct buf path = BUF_INIT, want = BUF_INIT;

	stand_in_scratch();
	here = getcwd(NULL, 0);
	CHECK(symlink("d/closed", "link") == 0 && symlink("loop", "loop") == 0);
	CHECK(mkdir("d/closed", 0755) == 0 && mkdir("d/closed/in", 0755) == 0);
	CHECK(chmod(".", 0755) == 0 && chmod("d/closed", 0) == 0);
	if (geteuid() == 0)
		CHECK(seteuid(33) == 0);
	check_closed("d", "");
	check_closed("d/f", "");
	check_closed("d/none/x", "");
	check_closed("loop", "");
	check_closed("", "");
	check_closed("/", "");
	check_closed("d/closed", "'d/closed' (mode 0000)");
	check_closed("d/closed/", "'d/closed' (mode 0000)");
	check_closed("./d//closed/in/x", "'d/closed' (mode 0000)");
	check_closed("d/../link/in", "'d/../d/closed' (mode 0000)");
	buf_printf(&path, "%s/d/closed/in/x", here);
	buf_printf(&want, "'%s/d/closed' (mode 0000)", here);
	check_closed(buf_get(&path), buf_get(&want));
	CHECK(seteuid(getuid()) == 0 && chmod("d/closed", 0755) == 0);
	fd = open("d/closed", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(chdir("d/closed") == 0 && fchmod(fd, 0) == 0);
	CHECK(seteuid(getuid() ? getuid() : 33) == 0);
	check_closed("in", "'.' (mode 0000)");
	CHECK(seteuid(getuid()) == 0 && fchmod(fd, 0755) == 0 && chdir("../..") == 0);
	leave_scratch();
}
