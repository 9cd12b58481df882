/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* syncfs: write a filesystem to disk, such that a signal can end the program meanwhile. */

#include "syncfs.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "cleanup.h"
#include "stop.h"
#include "subprocess.h"
#include "sys.h"

enum { LOOK_MS = 50 };

/*
 * Without other descriptors the child holds no lock, and no pipe that another process reads to its
 * end. Only async-signal-safe functions may be called, since there may have been threads.
 */
static void child(int fd)
{
	int num;

	if (fd > 0)
		(void)close_range(0, (unsigned)fd - 1, 0); /* a failure is harmless */
	(void)close_range((unsigned)fd + 1, ~0u, 0);
	num = syncfs(fd) < 0 ? errno : 0;
	_exit(num > 0 && num < 128 ? num : num ? EIO : 0);
}

/* Wait until the child has ended, or until the process is asked to end. */
static int wait_for(pid_t pid, struct err *e)
{
	scoped_fd int pidfd = sys_pidfd_open(pid, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int r = 0;

	while (pidfd >= 0 && r == 0 && poll(&p, 1, LOOK_MS) <= 0)
		r = stop_check(e);
	if (r == 0)
		return subprocess_wait(pid);
	stop_hurry();
	return r;
}

/* The child leaves signals to this process: one that is for both must not make the child fail. */
static pid_t start(int fd)
{
	sigset_t old;
	pid_t pid;
	int r = signals_block(&old);

	if (r < 0) {
		errno = -r;
		return -1;
	}
	pid = fork();
	if (pid == 0)
		child(fd);
	signals_restore(&old);
	return pid;
}

int syncfs_wait(int fd, const char *path, const char *what, struct err *e)
{
	int r = stop_check(e), num;
	pid_t pid;

	if (r < 0)
		return r;
	pid = start(fd);
	if (pid < 0) { /* wait here */
		num = syncfs(fd) < 0 ? errno : 0;
	} else {
		stop_set_waiting(true);
		r = wait_for(pid, e);
		stop_set_waiting(false);
		if (r == -ECANCELED)
			return r;
		num = r < 0 ? -r : r < 128 ? r : EINTR;
	}
	return num ? err_set(e, num, path, "%s", what) : 0;
}
