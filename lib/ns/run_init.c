/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Process 1 of the command's PID namespace. */

#include "run_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/num.h"
#include "../base/path.h"

static _Noreturn void give_up(int sock, struct err *e)
{
	struct run_msg msg = { .kind = RUN_MSG_FAILED, .value = RUN_FAILED };

	msg.e = *e;
	(void)run_proto_send(sock, &msg, -1); /* if this fails, nothing is left to try */
	_exit(RUN_FAILED);
}

/* Exit if the supervisor has died. */
static void wait_for_go(int sock)
{
	struct run_msg msg;
	int fd;

	if (run_proto_receive(sock, &msg, &fd) != 1 || msg.kind != RUN_MSG_GO)
		_exit(RUN_FAILED);
}

/* --- setting up --- */

/*
 * clone(2) kept the ids; in the namespace, the map shows them as others. The supplementary groups
 * stay until the caller's paths are open.
 */
static int become_root(struct err *e)
{
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_set(e, errno, NULL, "cannot become root of the user namespace");
	/*
	 * Set the death signal after the ids, whose change clears it. If the supervisor has died
	 * before that, the socket has ended.
	 */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_set(e, errno, NULL, "cannot set the death signal of process 1");
	return 0;
}

/* In a new network namespace, lo exists but is down. */
static int loopback_up(struct err *e)
{
	scoped_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { .ifr_name = "lo" };

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &req) < 0)
		return err_set(e, errno, "lo", "cannot read the flags of the network interface");
	req.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		return err_set(e, errno, "lo", "cannot bring up the network interface");
	return 0;
}

static int set_up(const struct run_init *i, struct run_tty *tty, struct err *e)
{
	const struct run_spec *s = i->spec;
	scoped_run_mounts struct run_mounts m = { 0 };
	int r;

	r = become_root(e);
	if (r == 0)
		r = i->staged ? run_stage_take(s, &m, e) :
				run_mounts_make(s, i->root.st_ino ? &i->root : NULL, &m, e);
	if (r == 0 && setgroups(0, NULL) < 0)
		log_verbose("the command keeps the caller's supplementary groups: %s",
			strerrordesc_np(errno));
	if (r == 0 && s->hostname && sethostname(s->hostname, strlen(s->hostname)) < 0)
		r = err_set(e, errno, s->hostname, "cannot set the host name");
	if (r == 0 && s->own_net)
		r = loopback_up(e);
	return r == 0 ? run_root_enter(s, &m, i->want_tty, tty, e) : r;
}

static void hand_over_tty(int sock, struct run_tty *tty)
{
	struct run_msg msg = { .kind = RUN_MSG_TTY };

	if (run_proto_send(sock, &msg, tty->master) < 0)
		_exit(RUN_FAILED);
	cleanup_fd(&tty->master);
	tty->master = -1;
	wait_for_go(sock);
}

/* --- life --- */

/*
 * Reap all exited children. When the command itself has exited, report its status and exit, which
 * kills the rest of the PID namespace. waitpid(2) cannot fail before that, because the command is a
 * child; if it does, exit rather than wait forever.
 */
static void reap(int sock, pid_t command)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) != 0) {
		struct run_msg msg = { .kind = RUN_MSG_ENDED, .value = status };

		if (pid < 0)
			_exit(RUN_FAILED);
		if (pid != command)
			continue;
		(void)run_proto_send(sock, &msg, -1); /* if this fails, nothing is left to try */
		_exit(0);
	}
}

static void forward_signal(int sock, pid_t command)
{
	struct run_msg msg;
	int fd;

	if (run_proto_receive(sock, &msg, &fd) != 1)
		_exit(RUN_FAILED);
	if (msg.kind == RUN_MSG_SIGNAL)
		(void)kill(msg.group ? -command : command,
			msg.value); /* fails if the command has exited; reap() reports that */
}

static _Noreturn void serve(int sock, int sigfd, pid_t command)
{
	struct pollfd p[] = { { .fd = sock, .events = POLLIN }, { .fd = sigfd, .events = POLLIN } };
	struct signalfd_siginfo si;

	for (;;) {
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			_exit(RUN_FAILED);
		if (p[1].revents) {
			/* One read may stand for several SIGCHLD: reap() asks for every child. */
			if (read(sigfd, &si, sizeof(si)) < 0)
				continue;
			reap(sock, command);
		}
		if (p[0].revents)
			forward_signal(sock, command);
	}
}

/*
 * Field n, from 4 on, of a line of /proc/PID/stat (proc(5)). Count from the last ')': field 2,
 * comm, may hold any characters.
 */
static uint64_t stat_field(const char *line, unsigned n)
{
	const char *p = strrchr(line, ')');
	uint64_t v = 0;

	for (unsigned i = 2; p && i < n; i++)
		p = strchr(p + 1, ' ');
	if (p)
		(void)num_u64_n(
			p + 1, strcspn(p + 1, " \n"), &v); /* stays 0 if it is not a number */
	return v;
}

/*
 * Clear this program's arguments, all but the first: they hold values of --env and paths of the
 * host. /proc/1/cmdline shows this memory to every process in the namespace.
 */
static int clear_arguments(struct err *e)
{
	enum { STAT_MAX = 4096, ARG_START = 48, ARG_END = 49 };
	scoped_buf struct buf line = BUF_INIT;
	uint64_t start, end;
	int r = fd_read_file(AT_FDCWD, "/proc/self/stat", STAT_MAX, &line, e);

	if (r < 0)
		return r;
	if (!buf_get(&line))
		return err_nomem(e);
	start = stat_field(line.data, ARG_START);
	end = stat_field(line.data, ARG_END);
	if (!start || end <= start)
		return err_say(e, ENODATA, "/proc/self/stat",
			"does not show where the program's arguments are");
	start += strnlen((const char *)(uintptr_t)start, end - start);
	explicit_bzero((void *)(uintptr_t)start, end - start);
	return 0;
}

/* Init has failed to open path: say so if a bind covers it. The root has been entered. */
static void blame_bind(const struct run_spec *s, const char *path, struct err *e)
{
	const struct run_bind *over = NULL;
	struct stat st;

	for (size_t i = 0; i < s->binds.len; i++)
		if (path_below(path, s->binds.items[i].target))
			over = &s->binds.items[i];
	if (!over)
		return;
	(void)err_set(e, e->num, path, "cannot open");
	err_why(e, "the bind %s:%s covers it", over->source, over->target);
	if (e->num == EACCES && !over->dev && stat(path, &st) == 0 && S_ISCHR(st.st_mode))
		err_try(e,
			"omit the bind, since every root has a %s, or add the word dev: -b "
			"%s:%s:dev",
			over->target, over->source, over->target);
	else
		err_try(e, "omit the bind, since every root has a %s%s", over->target,
			strcmp(over->target, "/dev") != 0 ?
				"" :
				"; bind single files there instead: -b SRC:/dev/NAME");
}

/*
 * Fork the command's process, which waits for a byte in the pipe gate. If the pipe ends without
 * one, init has failed or was killed, and the command must not run: the kernel closes the pipe
 * before it kills the processes of the namespace.
 */
static pid_t start_command(const struct run_init *i, int tty, const int gate[2])
{
	static struct err e;
	pid_t pid = fork();
	char go;
	ssize_t n;

	if (pid == 0) {
		(void)close(gate[1]); /* cannot fail for a pipe */
		n = read(gate[0], &go, 1);
		if (n < 0) {
			(void)err_set(&e, errno, NULL, "cannot wait for process 1 to be ready");
			give_up(i->sock, &e);
		}
		if (n == 0)
			_exit(RUN_FAILED);
		run_command(i, tty);
	}
	return pid;
}

/*
 * Close the caller's descriptors: the command must not reach them through init, and pipes must end
 * when the command closes them. Keep the command's terminal open: a terminal whose last descriptor
 * is closed hangs up. Then let the command's process go on.
 */
static int let_go(const struct run_init *i, int sigfd, int tty, int gate, struct err *e)
{
	int r = fd_let_go((const int[]){ i->sock, sigfd, gate }, 3, tty);

	if (r < 0) {
		(void)err_set(e, -r, NULL, "cannot close descriptors");
		blame_bind(i->spec, "/dev/null", e);
		return r;
	}
	if (write(gate, "", 1) != 1)
		return err_set(e, errno, NULL, "cannot start the command");
	(void)close(gate); /* cannot fail for a pipe */
	return 0;
}

/*
 * fork(3) of glibc 2.41 blocks all signals and does not check that: if it fails, the mask that it
 * restores is arbitrary. The signalfd requires its signals blocked before the command may end.
 */
static int block_again(const sigset_t *signals, struct err *e)
{
	return sigprocmask(SIG_BLOCK, signals, NULL) < 0 ?
		err_set(e, errno, NULL, "cannot block the signals that are read") :
		0;
}

_Noreturn void run_init(const struct run_init *i)
{
	struct run_tty tty = { -1, -1 };
	static struct err e;
	sigset_t chld;
	int sigfd, gate[2];
	pid_t pid;

	(void)setsid();       /* cannot fail: a new process is not a group leader */
	(void)close(i->peer); /* otherwise the socket would not end with the supervisor */
	wait_for_go(i->sock);
	if (set_up(i, &tty, &e) < 0)
		give_up(i->sock, &e);
	if (tty.master >= 0)
		hand_over_tty(i->sock, &tty);

	(void)sigemptyset(&chld);
	(void)sigaddset(&chld, SIGCHLD);
	sigfd = signalfd(-1, &chld, SFD_CLOEXEC);
	/*
	 * Until it executes, a process here has the memory of this program and of its caller: no
	 * process in the namespace may read or trace it.
	 */
	if (sigfd < 0 || pipe2(gate, O_CLOEXEC) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0) {
		(void)err_set(&e, errno, NULL, "cannot set up process 1");
		give_up(i->sock, &e);
	}
	pid = start_command(i, tty.slave, gate);
	if (pid < 0) {
		(void)err_set(&e, errno, NULL, "cannot start the command");
		err_op(&e, "fork");
		give_up(i->sock, &e);
	}
	if (block_again(&chld, &e) < 0)
		give_up(i->sock, &e);
	if (clear_arguments(&e) < 0) {
		blame_bind(i->spec, "/proc/self/stat", &e);
		give_up(i->sock, &e);
	}
	if (let_go(i, sigfd, tty.slave, gate[1], &e) < 0)
		give_up(i->sock, &e);
	serve(i->sock, sigfd, pid);
}
