/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/sys.h"
#include "../../lib/idmap/names.h"

static void ask_user(void)
{
	uint32_t uid;

	(void)names_uid("root", &uid, NULL);
}

static void ask_number(void)
{
	struct user u;

	(void)names_user_of(0, &u, NULL);
}

static void ask_group(void)
{
	uint32_t gid;

	(void)names_gid("root", &gid, NULL);
}

static void ask_groups(void)
{
	gid_t list[64];
	int n = 64;

	(void)names_groups("root", 0, list, &n);
}

static void take_groups(void)
{
	(void)names_init_groups("root", 0);
}

static void ask_group_number(void)
{
	(void)names_has_gid(0);
}

/* The signal that ended it, or 0. */
static int signal_of(void (*ask)(void), bool away)
{
	const struct rlimit none = { 0, 0 };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)setrlimit(RLIMIT_CORE, &none);
		(void)dup2(open("/dev/null", O_WRONLY), 2);
		if (away)
			(void)sys_chroot("/nowhere");
		ask();
		_exit(0);
	}
	REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(the_name_services_are_not_asked_away_from_home)
{
	static void (*const asks[])(void) = { ask_user, ask_number, ask_group, ask_groups,
		take_groups, ask_group_number };

	for (size_t i = 0; i < 6; i++) {
		CHECK_INT(signal_of(asks[i], false), 0);
		CHECK_INT(signal_of(asks[i], true), SIGABRT);
	}
}
