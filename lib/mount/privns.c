/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* privns: run a function in a private mount namespace. */

#include "privns.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "../base/sys.h"
#include "newfs.h"

struct private_mntns {
	const char *name;
	int (*fn)(void *arg, struct err *e);
	void *arg;
	int r;
	struct err *e;
};

static int failed(const struct private_mntns *a, const char *op, const char *what)
{
	int r = err_set(a->e, errno, a->name, "%s", what);

	err_op(a->e, op);
	return r;
}

static int enter_namespace(const struct private_mntns *a, int *ret_dir)
{
	scoped_fd int dir = -1;
	int r;

	if (unshare(CLONE_NEWNS) < 0)
		return failed(a, "unshare", "cannot make a mount namespace");
	/* Mounts made here must not propagate to the caller's namespace. */
	if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return failed(a, "mount", "cannot make a mount namespace private");
	r = newfs_tmpfs_default(&dir, a->e);
	if (r < 0) {
		err_prefix(a->e, "'%s'", a->name);
		return r;
	}
	if (sys_move_mount(dir, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return failed(
			a, "move_mount", "cannot attach a directory in memory to assemble it in");
	if (fchdir(dir) < 0)
		return failed(a, "fchdir", "cannot enter a directory in memory to assemble it in");
	*ret_dir = TAKE_FD(dir);
	return 0;
}

static void *thread_main(void *arg)
{
	struct private_mntns *a = arg;
	scoped_fd int dir = -1;

	a->r = enter_namespace(a, &dir);
	if (a->r == 0)
		a->r = a->fn(a->arg, a->e);
	return NULL;
}

int run_in_private_mntns(
	const char *name, int (*fn)(void *arg, struct err *e), void *arg, struct err *e)
{
	struct private_mntns a = { .name = name, .fn = fn, .arg = arg, .e = e };
	pthread_t thread;
	int r = pthread_create(&thread, NULL, thread_main, &a);

	if (r != 0) {
		(void)err_set(e, r, name, "cannot start a thread");
		err_op(e, "clone");
		return -r;
	}
	(void)pthread_join(thread, NULL); /* cannot fail: it is joinable and ours */
	return a.r;
}
