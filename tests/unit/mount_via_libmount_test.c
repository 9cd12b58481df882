/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/sys.h"
#include "../../lib/mount/via_libmount.h"

static int count(const struct lm_mount *m, void *arg)
{
	(void)m;
	++*(int *)arg;
	return 0;
}

static int load_in_child(bool before, bool away)
{
	const struct rlimit none = { 0, 0 };
	pid_t pid = fork();
	int status, n = 0;

	if (pid == 0) {
		(void)setrlimit(RLIMIT_CORE, &none);
		(void)dup2(open("/dev/null", O_WRONLY), 2);
		if (before)
			(void)lm_mountinfo(count, &n, NULL);
		if (away)
			(void)sys_setns(-1, CLONE_NEWNS);
		_exit(lm_mountinfo(count, &n, NULL) == 0 && n ? 0 : 1);
	}
	REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(libmount_is_loaded_at_home_or_not_at_all)
{
	CHECK_INT(load_in_child(false, false), 0);
	CHECK_INT(load_in_child(true, true), 0);
	CHECK_INT(load_in_child(false, true), SIGABRT);
}

TEST(the_mounts_of_a_process_are_those_of_the_namespace_that_it_was_found_in)
{
	int proc = open("/proc/self", O_PATH | O_DIRECTORY), n = 0;
	struct stat st;

	REQUIRE(proc >= 0 && fstatat(proc, "ns/mnt", &st, 0) == 0);
	CHECK_INT(lm_mountinfo_of(proc, st.st_ino, count, &n, NULL), 0);
	CHECK(n > 0);
	n = 0;
	CHECK_INT(lm_mountinfo_of(proc, st.st_ino + 1, count, &n, NULL), -ESTALE);
	CHECK_INT(n, 0);
}

TEST(the_mounts_of_a_process_that_has_ended_are_not_those_of_another)
{
	struct stat st;
	char path[64];
	pid_t pid = fork();
	int proc, n = 0;

	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	REQUIRE(pid > 0);
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	proc = open(path, O_PATH | O_DIRECTORY);
	REQUIRE(proc >= 0 && fstatat(proc, "ns/mnt", &st, 0) == 0);
	REQUIRE(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
	CHECK(lm_mountinfo_of(proc, st.st_ino, count, &n, NULL) < 0);
	CHECK_INT(n, 0);
}
