/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Namespaces that carry maps: what the kernel has is what was asked for, once per map, and nothing
 * stays behind.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/buf.h"
#include "../../lib/idmap/idmap.h"
#include "../../lib/idmap/userns.h"
#include "test.h"

static void map_of(const char *text, struct idmap *ret)
{
	struct err e = ERR_INIT;

	if (idmap_parse(&text, 1, NULL, ret, &e) < 0) {
		test_fail(__FILE__, __LINE__, "'%s': '%s' %s", text, e.on, e.what);
		test_stop();
	}
}

static int get(const char *text, int *ret_fd, struct err *e)
{
	scoped_idmap struct idmap m = { 0 };

	map_of(text, &m);
	return userns_get(&m, ret_fd, e);
}

/* Become root of the namespace, as a program started there is: its files in /proc are its own. */
static void enter(int fd)
{
	REQUIRE(setns(fd, CLONE_NEWUSER) == 0 && setgid(0) == 0 && setuid(0) == 0 &&
		prctl(PR_SET_DUMPABLE, 1) == 0);
}

static size_t open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	REQUIRE(d != NULL);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

TEST(idmap_userns_has_the_map_and_the_direction)
{
	static const char *const texts[] = {
		"+100000",
		"u:7:0:1",
		"g:0:5:1;u:3:4:5",
		"0:1000:1 1000:0:1",
		"0:0:4294967295",
		"4294967294:0:1",
		"u:0:10:1 u:2:20:2 u:5:30:3;g:9:1:1",
	};

	test_need_initial_root();
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		scoped_idmap struct idmap want = { 0 }, have = { 0 };
		struct err e = ERR_INIT;
		int fd;

		map_of(texts[i], &want);
		if (userns_get(&want, &fd, &e) < 0 || userns_map_of_fd(fd, &have, &e) < 0)
			test_fail(__FILE__, __LINE__, "'%s': %s %s", texts[i], e.what, e.why);
		else
			CHECK(idmap_equal(&want, &have));
	}
	userns_cache_done();
}

/* An id of the disk is an id inside: under u:7:0:1 the root that joins is user 7 there. */
TEST(idmap_userns_disk_ids_are_those_inside)
{
	struct err e = ERR_INIT;
	int fd;

	test_need_initial_root();
	REQUIRE(get("u:7:0:1;g:8:0:1", &fd, &e) == 0);
	REQUIRE(setns(fd, CLONE_NEWUSER) == 0);
	CHECK_INT(getuid(), 7);
	CHECK_INT(getgid(), 8);
}

TEST(idmap_userns_is_made_once_per_map_however_it_is_written)
{
	int fds[40], fd;

	test_need_initial_root();
	for (uint32_t line = 0; line < 10000; line++) {
		uint32_t k = line * 7 % 40;
		char text[64];
		struct err e = ERR_INIT;

		if (line % 2)
			(void)snprintf(text, sizeof(text), "+%u", 100000 + k * 65536);
		else
			(void)snprintf(text, sizeof(text), "g:0:%u:65536 u:1:%u:65535 u:0:%u:1",
				100000 + k * 65536, 100001 + k * 65536, 100000 + k * 65536);
		REQUIRE(get(text, &fd, &e) == 0);
		if (line < 40)
			fds[k] = fd;
		REQUIRE(fd == fds[k]);
	}
	CHECK_INT(userns_made(), 40);
	for (size_t i = 0; i < 40; i++)
		for (size_t k = 0; k < i; k++)
			CHECK(fds[i] != fds[k]);
	userns_cache_done();
}

TEST(idmap_userns_leaves_no_process_no_descriptor_and_no_blocked_signal)
{
	struct err e = ERR_INIT;
	sigset_t before, after;
	size_t fds = open_fds();
	int fd, r;

	test_need_initial_root();
	(void)sigprocmask(SIG_SETMASK, NULL, &before);
	REQUIRE(get("+100000", &fd, &e) == 0);
	REQUIRE(get("u:1:2:3", &fd, &e) == 0);
	CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_INT(open_fds(), fds + 2);
	(void)sigprocmask(SIG_SETMASK, NULL, &after);
	for (int sig = 1; sig < 32; sig++)
		CHECK_INT(sigismember(&after, sig), sigismember(&before, sig));
	r = waitpid(-1, NULL, 0);
	CHECK(r < 0 && errno == ECHILD);
	userns_cache_done();
	CHECK_INT(open_fds(), fds);
}

/* A program started with SIGCHLD ignored has its children reaped by the kernel. */
TEST(idmap_userns_does_not_depend_on_sigchld)
{
	struct err e = ERR_INIT;
	int fd;

	test_need_initial_root();
	(void)signal(SIGCHLD, SIG_IGN);
	CHECK_INT(get("+100000", &fd, &e), 0);
	userns_cache_done();
}

TEST(idmap_userns_of_an_ordinary_user_carries_its_own_id_and_says_what_else_needs)
{
	struct err e = ERR_INIT;
	char own[64];
	int fd, r;

	if (geteuid() == 0) {
		REQUIRE(setresgid(12346, 12346, 12346) == 0 && setresuid(12345, 12345, 12345) == 0);
		REQUIRE(prctl(PR_SET_DUMPABLE, 1) ==
			0); /* as after a login: its files in /proc are its own */
	}
	(void)snprintf(own, sizeof(own), "u:0:%u:1;g:0:%u:1", geteuid(), getegid());
	r = get(own, &fd, &e);
	if (r < 0 && strstr(e.what, "cannot make"))
		SKIP("user namespaces are not for ordinary users here");
	CHECK_INT(r, 0);
	CHECK_INT(get("+100000", &fd, &e), -EPERM);
	CHECK_HAS(e.why, "CAP_SETUID");
	CHECK_HAS(e.hint, own);
	CHECK_INT(userns_made(), 1);
	userns_cache_done();
}

/* Inside a namespace of two extents: a range across both, the identity, ids that do not exist. */
TEST(idmap_userns_inside_another_is_cut_to_what_exists_there)
{
	struct err e = ERR_INIT;
	scoped_idmap struct idmap have = { 0 }, want = { 0 }, fitted = { 0 };
	scoped_buf struct buf b = BUF_INIT;
	int outer, fd;

	test_need_initial_root();
	REQUIRE(get("0:100000:1000 1000:300000:1000", &outer, &e) == 0);
	enter(outer);

	REQUIRE(get("5:500:1000", &fd, &e) ==
		0); /* 500-999 and 1000-1499: two extents of the parent's */
	REQUIRE(userns_map_of_fd(fd, &have, &e) == 0);
	idmap_print(&have, &b);
	CHECK_STR(buf_get(&b), "b:5:500:1000");

	map_of("u:5:6:1", &want);
	/* groups: the identity over what exists */
	REQUIRE(userns_fit(&want, &fitted, &e) == 0 && userns_get(&want, &fd, &e) == 0);
	idmap_done(&have);
	REQUIRE(userns_map_of_fd(fd, &have, &e) == 0);
	buf_reset(&b);
	idmap_print(&have, &b);
	CHECK_STR(buf_get(&b), "u:5:6:1;g:0:0:2000");
	CHECK(idmap_equal(&fitted, &have));

	CHECK_INT(get("0:1500:1000", &fd, &e), -EPERM);
	CHECK_HAS(e.what, "seen user ids 1500-2499 do not all exist in this user namespace");
	userns_cache_done();
}

/* A process in the namespace of fd, killed when the test ends. */
static pid_t live_in(int fd)
{
	int ready[2];
	char c = 0;
	pid_t pid;

	REQUIRE(pipe(ready) == 0);
	pid = fork();
	if (pid == 0) {
		if (setns(fd, CLONE_NEWUSER) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
			write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	REQUIRE(pid > 0 && read(ready[0], &c, 1) == 1);
	(void)close(ready[0]);
	return pid;
}

TEST(idmap_of_a_namespace_is_read_by_process_path_and_descriptor)
{
	static const char *const forms[] = { "pid:%d", "/proc/%d/ns/user",
		"/proc/%d/task/../ns/user", "fd:%d" };
	scoped_idmap struct idmap want = { 0 };
	struct err e = ERR_INIT;
	int fd, r;
	pid_t pid;

	test_need_initial_root();
	map_of("u:3:100:10 u:20:500:1;g:1:7:2", &want);
	REQUIRE(userns_get(&want, &fd, &e) == 0);
	pid = live_in(fd);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		scoped_idmap struct idmap have = { 0 };
		char text[64];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(text, sizeof(text), forms[i], i < 3 ? pid : fd);
#pragma GCC diagnostic pop
		map_of(text, &have);
		CHECK(idmap_equal(&want, &have));
	}
	(void)kill(pid, SIGKILL);
	r = waitpid(pid, NULL, 0);
	CHECK_INT(r, pid);
	userns_cache_done();
}

/*
 * The second column is in ids of whoever reads. B, made in A with 0 seen as 5, where A shows 5 as
 * 100005: A reads 5, the namespace above A reads 100005.
 */
TEST(idmap_of_a_namespace_is_relative_to_the_reader)
{
	scoped_idmap struct idmap in_a = { 0 }, above = { 0 };
	scoped_buf struct buf b = BUF_INIT;
	int a, fd, ready[2], done[2];
	struct err e = ERR_INIT;
	char text[32], c;
	pid_t pid;

	test_need_initial_root();
	REQUIRE(get("+100000", &a, &e) == 0 && pipe(ready) == 0 && pipe(done) == 0);
	pid = fork();
	if (pid == 0) {
		enter(a);
		userns_cache_done(); /* the parent's */
		REQUIRE(get("0:5:1", &fd, &e) == 0 && userns_map_of_fd(fd, &in_a, &e) == 0);
		idmap_print(&in_a, &b);
		CHECK_STR(buf_get(&b), "b:0:5:1");
		REQUIRE(setns(fd, CLONE_NEWUSER) == 0 && write(ready[1], "x", 1) == 1);
		(void)close(done[1]);
		_exit(read(done[0], &c, 1) != 0);
	}
	(void)close(ready[1]);
	REQUIRE(read(ready[0], &c, 1) == 1);
	(void)snprintf(text, sizeof(text), "pid:%d", (int)pid);
	map_of(text, &above);
	idmap_print(&above, &b);
	CHECK_STR(buf_get(&b), "b:0:100005:1");
	(void)close(done[1]);
	(void)waitpid(pid, NULL, 0);
	userns_cache_done();
}

TEST(idmap_of_a_namespace_that_is_none_or_ours_is_refused)
{
	struct idmap m = { 0 };
	struct err e = ERR_INIT;
	char text[4][64];
	const char *const want[] = { "own user namespace", "own user namespace",
		"another kind of namespace", "not of a namespace" };
	int fds[3] = { open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC),
		open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC),
		open("/dev/null", O_RDONLY | O_CLOEXEC) };

	(void)snprintf(text[0], sizeof(text[0]), "pid:%d", (int)getpid());
	for (int i = 0; i < 3; i++) {
		REQUIRE(fds[i] >= 0);
		(void)snprintf(text[i + 1], sizeof(text[0]), "fd:%d", fds[i]);
	}
	for (size_t i = 0; i < 4; i++) {
		const char *t = text[i];

		CHECK_INT(idmap_parse(&t, 1, NULL, &m, &e), -EINVAL);
		CHECK_HAS(e.what, want[i]);
		CHECK_HAS(e.what, t); /* the entry is named */
	}
}
