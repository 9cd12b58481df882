/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/env.h"
#include "../../lib/base/fd.h"
#include "../../lib/base/lock.h"

static char top[] = "/tmp/shiftbox-lock.XXXXXX";

static int new_dir(void)
{
	int fd;

	REQUIRE(mkdtemp(top));
	fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	return fd;
}

static void remove_dir(int fd)
{
	(void)close(fd);
	CHECK_INT(fd_remove_tree(AT_FDCWD, top, NULL), 0);
}

static short ofd(int fd, int command, short type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(fd, command, &l) < 0 ? -1 : l.l_type;
}

TEST(mark_is_held_for_as_long_as_its_process_lives)
{
	int dir = new_dir(), status, mark = -1;
	pid_t pid;

	CHECK_INT(mark_look(dir, "m"), MARK_GONE);
	CHECK_INT(mark_wait(dir, "m"), 0);
	pid = fork();
	if (pid == 0) {
		int fd = -1;

		if (mark_new(dir, "m", &fd) < 0)
			_exit(1);
		for (;;)
			(void)pause();
	}
	for (int i = 0; i < 1000 && mark_look(dir, "m") != MARK_HELD; i++)
		(void)usleep(10000);
	CHECK_INT(mark_look(dir, "m"), MARK_HELD);
	CHECK_INT(mark_new(dir, "m", &mark), -EAGAIN); /* nobody takes its name */
	(void)kill(pid, SIGKILL);
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_INT(mark_look(dir, "m"), MARK_DEAD);
	CHECK_INT(mark_wait(dir, "m"), 0);

	CHECK_INT(mark_new(dir, "n", &mark), 0);
	CHECK_INT(mark_look(dir, "n"), MARK_HELD);
	mark_drop(dir, "n", &mark);
	CHECK_INT(mark, -1);
	CHECK_INT(mark_look(dir, "n"), MARK_GONE);
	remove_dir(dir);
}

/*
 * Who can only read has read locks of both kinds, and write locks of flock(2). None of them
 * matters.
 */
TEST(mark_is_no_matter_of_those_who_can_only_read)
{
	int dir = new_dir(), mark = -1, reader;

	REQUIRE(mark_new(dir, "m", &mark) == 0);
	reader = openat(dir, "m", O_RDONLY | O_CLOEXEC);
	REQUIRE(reader >= 0);
	CHECK_INT(ofd(reader, F_OFD_SETLK, F_RDLCK), -1); /* it is held */
	(void)close(mark);
	CHECK_INT(ofd(reader, F_OFD_SETLK, F_RDLCK), F_RDLCK);
	CHECK_INT(ofd(reader, F_OFD_SETLK, F_WRLCK), -1);
	CHECK_INT(lock_try(reader, LOCK_EXCLUSIVE), 0);
	CHECK_INT(mark_look(dir, "m"), MARK_DEAD);
	CHECK_INT(mark_wait(dir, "m"), 0);
	remove_dir(dir);
}

TEST(mark_is_a_regular_file_of_ours)
{
	int dir = new_dir();

	CHECK(symlinkat("m", dir, "link") == 0 && mkfifoat(dir, "fifo", 0600) == 0 &&
		mkdirat(dir, "dir", 0700) == 0);
	CHECK_INT(mark_look(dir, "link"), MARK_GONE);
	CHECK_INT(mark_look(dir, "fifo"), MARK_GONE);
	CHECK_INT(mark_look(dir, "dir"), MARK_GONE);
	CHECK_INT(mark_wait(dir, "fifo"), 0);
	remove_dir(dir);
}

TEST(lock_is_in_a_directory_of_the_users_alone)
{
	static const struct {
		mode_t above, own;
		bool used;
	} cases[] = {
		{ 0700, 0700, true },
		{ 0755, 0700, true },
		{ 01777, 0700, true },
		{ 0777, 0700, false },
		{ 0775, 0700, false },
		{ 0700, 0701, false },
		{ 0700, 0750, false },
		{ 0700, 0704, false },
	};
	int dir = new_dir();
	struct stat st;
	char path[64];

	if (geteuid() == 0 &&
		(fchmod(dir, 0777) < 0 || setresgid(65534, 65534, 65534) < 0 ||
			setresuid(65534, 65534, 65534) < 0))
		SKIP("cannot become another user");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char own[80];
		int fd;

		(void)snprintf(path, sizeof(path), "%s/%zu", top, i);
		(void)snprintf(own, sizeof(own), "%s/shiftbox", path);
		REQUIRE(mkdir(path, 0700) == 0 && mkdir(own, 0700) == 0 &&
			chmod(own, cases[i].own) == 0 && chmod(path, cases[i].above) == 0);
		REQUIRE(setenv("XDG_RUNTIME_DIR", path, 1) == 0 && stat(path, &st) == 0);
		fd = lock_open(&st, "test");
		if ((fd >= 0) != cases[i].used)
			test_fail(__FILE__, __LINE__, "case %zu: %s", i,
				fd >= 0 ? "used" : "not used");
		if (fd >= 0) {
			int other = lock_open(&st, "test");

			CHECK_INT(lock_try(fd, LOCK_EXCLUSIVE), 0);
			CHECK_INT(lock_try(other, LOCK_SHARED), -EWOULDBLOCK);
			CHECK_INT(lock_try(fd, LOCK_SHARED), 0);
			CHECK_INT(lock_try(other, LOCK_SHARED), 0);
			CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600);
			(void)close(other);
			(void)close(fd);
		}
	}
	/* Whoever must not choose the environment does not choose the directory. */
	(void)snprintf(path, sizeof(path), "%s/last", top);
	REQUIRE(mkdir(path, 0700) == 0 && setenv("XDG_RUNTIME_DIR", path, 1) == 0 &&
		stat(path, &st) == 0);
	CHECK_STR(env_get("XDG_RUNTIME_DIR"), path);
	env_forget();
	CHECK(!env_get("XDG_RUNTIME_DIR") && !env_get("PATH"));
	CHECK_INT(lock_open(&st, "test"), -1);
	(void)close(dir);
}

TEST(lock_says_who_holds_it)
{
	scoped_buf struct buf b = BUF_INIT, own = BUF_INIT;
	int dir = new_dir(), fd, status, ready[2];
	char byte, want[64];
	pid_t pid;

	fd = openat(dir, "l", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	REQUIRE(fd >= 0 && pipe(ready) == 0);
	lock_print_holder(fd, &b);
	CHECK_STR(buf_get(&b), "one that cannot be seen from here");
	pid = fork();
	if (pid == 0) {
		int mine = openat(dir, "l", O_RDWR | O_CLOEXEC);

		if (lock_try(mine, LOCK_EXCLUSIVE) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	REQUIRE(read(ready[0], &byte, 1) == 1);
	buf_reset(&b);
	lock_print_holder(fd, &b);
	REQUIRE(fd_read_file(AT_FDCWD, "/proc/self/comm", 64, &own, NULL) == 0);
	(void)snprintf(
		want, sizeof(want), "process %d (%.*s)", (int)pid, (int)own.len - 1, own.data);
	CHECK_STR(buf_get(&b), want);
	(void)kill(pid, SIGKILL);
	REQUIRE(waitpid(pid, &status, 0) == pid);
	remove_dir(dir);
}
