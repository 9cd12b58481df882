/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* userns_child: keep a user namespace alive with a process, and access it through /proc. */

#include "userns_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/subprocess.h"
#include "../base/sys.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Joining a namespace does not block; a child that takes longer was stopped by another process. */
enum { JOIN_TIMEOUT_MS = 10 * 1000 };

void child_done(struct child *c)
{
	int saved = errno, how = WEXITED;
	siginfo_t info;

	if (c->pidfd >= 0) {
		/*
		 * ESRCH: the child has exited, and must be reaped. Do not wait for a child that
		 * cannot be killed: it dies with its parent.
		 */
		if (sys_pidfd_send_signal(c->pidfd, SIGKILL) < 0 && errno != ESRCH)
			how |= WNOHANG;
		while (waitid(P_PIDFD, (id_t)c->pidfd, &info, how) < 0 && errno == EINTR)
			;
		(void)close(c->pidfd);
	}
	if (c->proc >= 0)
		(void)close(c->proc);
	*c = CHILD_NONE;
	errno = saved;
}

/*
 * Be killed when the parent's thread ends. getppid() detects a parent that died before prctl(). All
 * signals but SIGKILL are blocked.
 */
static void die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
}

/*
 * Runs in a child that is to join ns, a copy of one thread of a process that may have several, so
 * it makes system calls only. Reports the result through the pipe.
 */
static _Noreturn void child_join(pid_t parent, int ns, int pipe_fd)
{
	int num = 0;

	die_with(parent);
	if (sys_setns(ns, CLONE_NEWUSER) < 0)
		num = errno;
	die_with(parent); /* new credentials have reset the signal (commit_creds()) */
	if (write(pipe_fd, &num, sizeof(num)) < 0)
		_exit(1);
	for (;;)
		(void)pause();
}

/* Runs in a child that keeps a new namespace. It shares the memory of the parent. */
static int child_keep(void *arg)
{
	die_with(*(const pid_t *)arg);
	while (pause() < 0)
		;
	return 0;
}

static int clone_fault(int num, struct err *e)
{
	(void)err_set(e, num, NULL, "cannot make a user namespace for the map");
	err_op(e, "userns");
	if (num == EINVAL)
		err_why(e, "this kernel is built without user namespaces");
	else if (num == ENOSPC || num == EUSERS)
		err_why(e,
			"the limit of user namespaces (user.max_user_namespaces) or of their "
			"nesting (32) is reached");
	else if (num == EPERM && geteuid() == 0) {
		err_why(e, "the root directory is a chroot, or a security module forbids it");
		err_try(e, "in a chroot: use pivot_root instead, or run it outside the chroot");
	} else if (num == EPERM) {
		err_why(e,
			"user namespaces are switched off for this caller, or its root directory "
			"is a chroot");
	}
	return -num;
}

/* Read the result of setns() in the child. */
static int join_wait(int fd, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int num = 0, r;

	do
		r = poll(&p, 1, JOIN_TIMEOUT_MS);
	while (r < 0 && errno == EINTR);
	if (r <= 0 || read(fd, &num, sizeof(num)) != (ssize_t)sizeof(num))
		return err_say(e, ETIMEDOUT, NULL,
			"the process that should join the user namespace did not answer");
	if (num == 0)
		return 0;

	(void)err_set(e, num, NULL, "cannot join the user namespace to read its map");
	err_op(e, "setns");
	if (num == EPERM)
		err_why(e,
			"joining requires CAP_SYS_ADMIN in that namespace, which its owner "
			"and root above it have");
	return -num;
}

/*
 * To copy the tables of the memory takes longer than all the rest, so a child that only waits
 * shares the memory. It never returns from its only call, so a second child may have its stack.
 */
static pid_t keep_new(void)
{
	static _Alignas(16) char stack[16 << 10];
	static pid_t parent;

	parent = getpid();
	return sys_clone_sharing(CLONE_NEWUSER, stack, sizeof(stack), child_keep, &parent);
}

static pid_t child_clone(int ns, int pipe_fd)
{
	pid_t parent = getpid(), pid;
	sigset_t old;
	/*
	 * The child must not run signal handlers: Ctrl-C is sent to the whole process group, and
	 * the parent alone cleans up.
	 */
	int r = signals_block(&old);

	if (r < 0) {
		errno = -r;
		return -1;
	}
	pid = ns < 0 ? keep_new() : sys_clone(0);
	if (pid == 0)
		child_join(parent, ns, pipe_fd);
	signals_restore(&old);
	return pid;
}

int child_start(int ns, struct child *ret, struct err *e)
{
	scoped_fd int rd = -1, wr = -1;
	int pipe_fds[2], num, r;
	pid_t pid;

	if (ns >= 0) {
		if (pipe2(pipe_fds, O_CLOEXEC) < 0)
			return err_set(e, errno, NULL, "cannot make a pipe");
		rd = pipe_fds[0];
		wr = pipe_fds[1];
	}
	pid = child_clone(ns, wr);
	if (pid < 0)
		return clone_fault(errno, e);

	ret->pidfd = sys_pidfd_open(pid, 0);
	if (ret->pidfd < 0) {
		num = errno;
		(void)kill(pid, SIGKILL); /* it is not reaped yet, so the pid is still its own */
		(void)waitpid(pid, NULL, 0);
		return err_set(e, num, NULL, "cannot get a descriptor of the namespace's process");
	}
	if (ns >= 0) {
		cleanup_fd(&wr); /* so that the read ends if the child dies */
		wr = -1;
		r = join_wait(rd, e);
		if (r < 0)
			return r;
	}
	return proc_open(pid, &ret->proc, e);
}

int proc_check(struct err *e)
{
	char self[32], own[32];
	struct statfs fs;
	ssize_t n;

	if (statfs("/proc", &fs) < 0 || (unsigned long)fs.f_type != PROC_SUPER_MAGIC) {
		(void)err_say(e, ENOENT, "/proc",
			"is needed to set and read the maps of user namespaces, and is not "
			"mounted");
		err_try(e, "mount -t proc proc /proc");
		return -ENOENT;
	}
	n = readlink("/proc/self", self, sizeof(self) - 1);
	self[n < 0 ? 0 : n] = '\0';
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	if (strcmp(self, own) != 0) {
		(void)err_say(e, ESRCH, "/proc", "shows the processes of another PID namespace");
		err_try(e,
			"mount a proc of this PID namespace: unshare --mount-proc, or mount -t "
			"proc proc /proc");
		return -ESRCH;
	}
	return 0;
}

int proc_open(pid_t pid, int *ret_fd, struct err *e)
{
	char path[32];
	int fd, r;

	r = proc_check(e);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid); /* fits */
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		(void)err_say(e, ENOENT, path, "there is no such process");
		err_try(e, "lsns -t user shows the user namespaces, each with a process of it");
		return -ENOENT;
	}
	if (fd < 0)
		return err_set(e, errno, path, "cannot open the directory of the process");

	*ret_fd = fd;
	return 0;
}

static int read_map_file(int proc, const char *name, struct buf *ret, struct err *e)
{
	scoped_fd int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, errno, name, "cannot open the map of the process");
	return fd_read_all(fd, name, MAP_FILE_MAX, ret, e);
}

/*
 * The kernel prints the second column in ids of the reader's namespace, but for the reader's own
 * namespace in ids of the parent (uid_m_show()). So a map that is read from above is the one that a
 * mount shows here, and callers must not ask for their own namespace.
 */
int userns_map_of_proc(int proc, struct idmap *ret, struct err *e)
{
	scoped_buf struct buf uid = BUF_INIT, gid = BUF_INIT;
	int r;

	r = read_map_file(proc, "uid_map", &uid, e);
	if (r == 0)
		r = read_map_file(proc, "gid_map", &gid, e);
	if (r < 0)
		return r;
	r = idmap_parse_kernel(buf_get(&uid), buf_get(&gid), ret, e);
	if (r == -ENODATA) {
		err_why(e, "the user namespace has no map yet: its uid_map or gid_map is empty");
		err_try(e, "write its map first (unshare -Ur, newuidmap), or name another process");
	}
	return r;
}
