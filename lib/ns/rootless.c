/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Become root of a new user namespace. */

#include "rootless.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/subprocess.h"
#include "../idmap/userns.h"

/* The result of the child that writes the map. */
struct answer {
	int r;
	struct err e;
};

/*
 * The child: wait for a byte on the pipe go, which means that the parent is in the namespace; the
 * end of the file means that the parent failed.
 */
static _Noreturn void write_map(const struct idmap *m, pid_t parent, int go, int out)
{
	static struct answer a;
	char byte;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || read(go, &byte, 1) != 1)
		_exit(1);
	a.r = userns_write_map(parent, m, &a.e);
	_exit(fd_write_all(out, &a, sizeof(a)) < 0);
}

static int unshare_fault(int num, struct err *e)
{
	(void)err_set(e, num, NULL, "cannot create a user namespace");
	err_op(e, "userns");
	if (num == EPERM)
		userns_explain_eperm(e);
	else if (num == EINVAL)
		err_why(e, "this kernel has no user namespaces, or the process is multithreaded");
	return -num;
}

static int read_answer(int fd, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	struct answer a;
	int r = subprocess_read(fd, sizeof(a), &b);

	if (r < 0)
		return err_set(e, -r, NULL,
			"cannot read whether the map of the user namespace was written");
	if (b.len != sizeof(a))
		return err_say(e, EPIPE, NULL,
			"the process that writes the map of the user namespace ended without a "
			"result");
	memcpy(&a, b.data, sizeof(a));
	if (a.r < 0 && e)
		*e = a.e;
	return a.r;
}

/* unshare(2) kept the ids; in the namespace, the map shows them as others. */
static int take_root(struct err *e)
{
	if ((getegid() != 0 || getgid() != 0) && setresgid(0, 0, 0) < 0)
		return err_set(e, errno, NULL, "cannot become group 0 of the user namespace");
	if ((geteuid() != 0 || getuid() != 0) && setresuid(0, 0, 0) < 0)
		return err_set(e, errno, NULL, "cannot become root of the user namespace");
	return 0;
}

static int enter(unsigned long more, int go, int in, struct err *e)
{
	if (unshare((int)(CLONE_NEWUSER | more)) < 0)
		return unshare_fault(errno, e);
	if (write(go, "", 1) != 1)
		return err_set(e, errno, NULL,
			"the process that writes the map of the user namespace has died");
	return read_answer(in, e);
}

int rootless_enter(const struct idmap *m, unsigned long more, struct err *e)
{
	scoped_fd int go_rd = -1, go_wr = -1, rd = -1, wr = -1;
	pid_t self = getpid(), pid;
	int go[2], answer[2], r;
	uint32_t seen;

	if (!idmap_uid_seen(m, 0, &seen) || !idmap_gid_seen(m, 0, &seen))
		return err_say(e, EINVAL, NULL,
			"the map of the user namespace has no root: no id 0 for users or for "
			"groups");
	if (pipe2(go, O_CLOEXEC) < 0)
		return err_set(e, errno, NULL, "cannot create a pipe");
	go_rd = go[0];
	go_wr = go[1];
	if (pipe2(answer, O_CLOEXEC) < 0)
		return err_set(e, errno, NULL, "cannot create a pipe");
	rd = answer[0];
	wr = answer[1];
	pid = fork();
	if (pid < 0)
		return err_set(e, errno, NULL,
			"cannot start a process to write the map of the user namespace");
	if (pid == 0) {
		cleanup_fd(&go_wr); /* otherwise the pipe would never end */
		go_wr = -1;
		write_map(m, self, go_rd, wr);
	}

	cleanup_fd(&go_rd);
	cleanup_fd(&wr);
	go_rd = wr = -1;
	r = enter(more, go_wr, rd, e);
	cleanup_fd(&go_wr);
	go_wr = -1;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r < 0 ? r : take_root(e);
}
