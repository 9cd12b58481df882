/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Child processes: their output, their status, and that none is left. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/base/subprocess.h"
#include "test.h"

/* After each call: the child was reaped. */
static void no_child_is_left(void)
{
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

TEST(subprocess_capture_collects_both_outputs_and_returns_the_status)
{
	static const struct {
		const char *script, *output;
		int status;
	} cases[] = {
		{ "echo out; echo err >&2", "out\nerr\n", 0 },
		{ "exit 7", "", 7 },
		{ "kill -9 $$", "", 128 + 9 },
		{ "cat", "", 0 }, /* there is no input */
		{ "echo \"$SECRET\"", "\n", 0 },
	};

	CHECK(setenv("SECRET", "x", 1) == 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *argv[] = { (char *)"sh", (char *)"-c", strdup(cases[i].script), NULL };
		scoped_buf struct buf b = BUF_INIT;

		CHECK_INT(subprocess_capture("/bin/sh", argv, &b), cases[i].status);
		CHECK_STR(buf_get(&b), cases[i].output);
		no_child_is_left();
		free(argv[2]);
	}
}

TEST(subprocess_capture_of_a_program_that_does_not_exist_returns_127)
{
	char *argv[] = { (char *)"none", NULL };
	scoped_buf struct buf b = BUF_INIT;

	CHECK_INT(subprocess_capture("/nonexistent/none", argv, &b), 127);
	no_child_is_left();
}

static int write_much(void *arg, int out)
{
	static const char block[1000];

	(void)arg;
	for (int i = 0; i < 1000; i++)
		if (fd_write_all(out, block, sizeof(block)) < 0)
			return 1;
	return 42;
}

TEST(subprocess_child_drops_output_beyond_the_limit_and_lets_the_child_finish)
{
	scoped_buf struct buf b = BUF_INIT;

	CHECK_INT(subprocess_call(write_much, NULL, 12345, &b), 42);
	CHECK_INT(b.len, 12345);
	no_child_is_left();
}

TEST(subprocess_find_takes_the_first_executable_in_an_absolute_directory_of_path)
{
	char dir[] = "/tmp/shiftbox-unit.XXXXXX";
	scoped_buf struct buf found = BUF_INIT, path = BUF_INIT, want = BUF_INIT;

	REQUIRE(mkdtemp(dir) && chdir(dir) == 0);
	REQUIRE(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0 && mkdir("a/tool-x", 0755) == 0);
	REQUIRE(fd_write_file(AT_FDCWD, "tool-x", 0755, "", 0, NULL) == 0);
	REQUIRE(fd_write_file(AT_FDCWD, "b/tool-x", 0755, "", 0, NULL) == 0);
	REQUIRE(fd_write_file(AT_FDCWD, "b/tool-y", 0644, "", 0, NULL) == 0);
	buf_printf(&path, ".::%s/a:%s/b", dir, dir);
	buf_printf(&want, "%s/b/tool-x", dir);
	REQUIRE(setenv("PATH", buf_get(&path), 1) == 0);

	CHECK_INT(subprocess_find("tool-x", &found), 0);
	CHECK_STR(buf_get(&found), buf_get(&want));
	buf_reset(&found);
	CHECK_INT(subprocess_find("tool-y", &found), -ENOENT); /* it is not executable */
	CHECK_INT(subprocess_find("sh", &found),
		0); /* from the directories that are always searched */
	CHECK(chdir("/") == 0 && fd_remove_tree(AT_FDCWD, dir, NULL) == 0);
}

TEST(subprocess_ends_waits_for_the_end_and_does_not_reap)
{
	pid_t sleeper = fork(), dead;

	if (sleeper == 0) {
		(void)pause();
		_exit(0);
	}
	CHECK(!subprocess_ends(sleeper, 10));
	CHECK(kill(sleeper, SIGTERM) == 0);
	CHECK(subprocess_ends(sleeper, 10000));
	CHECK_INT(subprocess_wait(sleeper), 128 + SIGTERM);

	dead = fork();
	if (dead == 0)
		_exit(3);
	CHECK(subprocess_ends(dead, 10000));
	CHECK_INT(subprocess_wait(dead), 3);
	no_child_is_left();
}

TEST(subprocess_apart_returns_in_the_child_and_its_status_in_the_caller)
{
	int r = subprocess_fork("does nothing", NULL);

	if (r == SUBPROCESS_CHILD)
		_exit(5);
	CHECK_INT(r, 5);
	no_child_is_left();
}
