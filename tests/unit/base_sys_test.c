/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/sys.h"

static void leave_by_setns(void)
{
	(void)sys_setns(-1, CLONE_NEWNS);
}
static void leave_by_chroot(void)
{
	(void)sys_chroot("/nowhere");
}
static void leave_by_pivot_root(void)
{
	(void)sys_pivot_root("/nowhere", "/nowhere");
}

/* Whether it succeeded does not matter: there is no way back either way. */
TEST(whoever_left_its_root_or_namespace_is_not_at_home_any_more_nor_are_its_children)
{
	static void (*const ways[])(
		void) = { leave_by_setns, leave_by_chroot, leave_by_pivot_root };

	for (size_t i = 0; i < 3; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			bool before = sys_is_home();

			ways[i]();
			pid = fork();
			if (pid == 0)
				_exit(sys_is_home());
			if (pid < 0 || waitpid(pid, &status, 0) < 0)
				_exit(2);
			_exit(!before || sys_is_home() || status);
		}
		REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
		CHECK_INT(status, 0);
		CHECK(sys_is_home());
	}
}
