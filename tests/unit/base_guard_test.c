/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/guard.h"
#include "../system/chown_calls.h"

static void remove_file(void)
{
	(void)unlink("/tmp/shiftbox-guard-test");
}

/* Every way to chown that this machine has; want: 0 or the errno that each must give. */
static void expect_all(int want)
{
	struct chown_result results[CHOWN_CALLS_MAX];
	size_t n = chown_calls(results);

	CHECK(n >= 7); /* arm64 has no chown(2) and lchown(2) */
	for (size_t i = 0; i < n; i++)
		if (results[i].num != want && results[i].num != ENOSYS)
			test_fail(__FILE__, __LINE__, "%s: errno %d, not %d", results[i].name,
				results[i].num, want);
}

TEST(guard_refuses_every_chown_for_root)
{
	if (geteuid() != 0)
		SKIP("needs root");
	expect_all(0);
	CHECK_INT(guard_install(false, NULL), 1);
	expect_all(EPERM);
	CHECK_INT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
}

static void *in_thread(void *unused)
{
	expect_all(EPERM);
	return unused;
}

TEST(guard_holds_for_threads_children_and_programs)
{
	pthread_t t;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		SKIP("needs root");
	REQUIRE(guard_install(false, NULL) == 1);
	REQUIRE(pthread_create(&t, NULL, in_thread, NULL) == 0);
	REQUIRE(pthread_join(t, NULL) == 0);

	REQUIRE(close(open("/tmp/shiftbox-guard-test", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
	(void)atexit(remove_file);
	pid = fork();
	if (pid == 0) {
		(void)close(STDERR_FILENO);
		(void)execlp("chown", "chown", "0:0", "/tmp/shiftbox-guard-test", NULL);
		_exit(99);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_INT(WEXITSTATUS(status), 1);
}

static bool become_nobody(void)
{
	return geteuid() != 0 ||
		(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
}

/* newuidmap, a set-uid program, must keep working. */
TEST(guard_of_an_ordinary_user_leaves_setuid_programs_alone)
{
	REQUIRE(become_nobody());
	CHECK_INT(guard_install(true, NULL), 0);
	CHECK_INT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
}

TEST(guard_of_an_ordinary_user_that_needs_no_setuid_program_holds)
{
	REQUIRE(become_nobody());
	CHECK_INT(guard_install(false, NULL), 1);
	CHECK_INT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	expect_all(EPERM);
}

TEST(guard_works_for_root_of_a_user_namespace)
{
	REQUIRE(become_nobody());
	if (unshare(CLONE_NEWUSER) < 0)
		SKIP("needs user namespaces");
	CHECK_INT(guard_install(false, NULL), 1);
	expect_all(EPERM);
	CHECK_INT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
}
