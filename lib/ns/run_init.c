/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* run_init: process 1 of the command's namespace. */

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

static _Noreturn void give_up(int sock, struct err *e)
{
	struct run_msg msg = { .kind = RUN_MSG_FAILED, .value = RUN_FAILED };

	msg.e = *e;
	(void)run_proto_send(sock, &msg, -1); /* nobody else to tell */
	_exit(RUN_FAILED);
}

/* The supervisor's death, at any time, is the end. */
static void wait_for_go(int sock)
{
	struct run_msg msg;
	int fd;

	if (run_proto_receive(sock, &msg, &fd) != 1 || msg.kind != RUN_MSG_GO)
		_exit(RUN_FAILED);
}

/*
 * --- setting up --------------------------------------------------------------------------------
 */

/*
 * In the new namespace the process has the ids that it had before, seen through the map. Groups
 * stay until the paths of the caller are open.
 */
static int take_root(struct err *e)
{
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_set(e, errno, NULL, "cannot become root of the user namespace");
	/*
	 * After the ids, whose change would take it off. A supervisor that died before is seen by
	 * the end of its socket.
	 */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_set(e, errno, NULL, "cannot tie the command to its supervisor");
	return 0;
}

/* One's own network has lo, but down. */
static int loopback_up(struct err *e)
{
	scoped_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { .ifr_name = "lo" };

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &req) < 0)
		return err_set(e, errno, "lo", "cannot read the flags of the network interface");
	req.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		return err_set(e, errno, "lo", "cannot start the network interface");
	return 0;
}

static int set_up(const struct run_init *i, struct run_tty *tty, struct err *e)
{
	const struct run_spec *s = i->spec;
	scoped_run_mounts struct run_mounts m = { 0 };
	int r;

	r = take_root(e);
	if (r == 0)
		r = i->staged ? run_stage_take(s, &m, e) :
				run_mounts_make(s, i->root.st_ino ? &i->root : NULL, &m, e);
	if (r == 0 && setgroups(0, NULL) < 0)
		log_verbose("the caller's supplementary groups stay with the command: %s",
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

/*
 * --- life --------------------------------------------------------------------------------------
 */

/*
 * Reaps whoever is dead; once that is the command, tells and ends, and with it all others. Until
 * then there is somebody to reap: who cannot be waited for would never be heard of.
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
		(void)run_proto_send(sock, &msg, -1); /* nobody else to tell */
		_exit(0);
	}
}

static void give_signal(int sock, pid_t command)
{
	struct run_msg msg;
	int fd;

	if (run_proto_receive(sock, &msg, &fd) != 1)
		_exit(RUN_FAILED);
	if (msg.kind == RUN_MSG_SIGNAL)
		(void)kill(msg.group ? -command : command,
			msg.value); /* it may have ended, which is to be heard of */
}

static _Noreturn void live(int sock, int sigfd, pid_t command)
{
	struct pollfd p[] = { { .fd = sock, .events = POLLIN }, { .fd = sigfd, .events = POLLIN } };
	struct signalfd_siginfo si;

	for (;;) {
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			_exit(RUN_FAILED);
		if (p[1].revents) {
			(void)read(sigfd, &si, sizeof(si)); /* several SIGCHLD are one */
			reap(sock, command);
		}
		if (p[0].revents)
			give_signal(sock, command);
	}
}

/*
 * The n-th field of a line of /proc/PID/stat (proc(5)), from 4 on: those before the third can hold
 * anything.
 */
static uint64_t stat_field(const char *line, unsigned n)
{
	const char *p = strrchr(line, ')');
	uint64_t v = 0;

	for (unsigned i = 2; p && i < n; i++)
		p = strchr(p + 1, ' ');
	if (p)
		(void)num_u64_n(p + 1, strcspn(p + 1, " \n"), &v); /* 0 where it is no number */
	return v;
}

/*
 * The words that this program was started with, all but the first: values of --env, paths of the
 * host. Whoever is in the namespace may read /proc/1/cmdline, which shows what stands in this
 * memory.
 */
static int forget_words(struct err *e)
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
			"does not tell where the program's arguments are");
	start += strnlen((const char *)(uintptr_t)start, end - start);
	explicit_bzero((void *)(uintptr_t)start, end - start);
	return 0;
}

/* The command, which waits for the end of what is written to gate. */
static pid_t start_command(const struct run_init *i, int tty, const int gate[2])
{
	static struct err e;
	pid_t pid = fork();
	char none;

	if (pid == 0) {
		(void)close(gate[1]); /* a pipe loses nothing */
		if (read(gate[0], &none, 1) < 0) {
			(void)err_set(&e, errno, NULL, "cannot wait for process 1 to be ready");
			give_up(i->sock, &e);
		}
		run_command(i, tty);
	}
	return pid;
}

_Noreturn void run_init(const struct run_init *i)
{
	struct run_tty tty = { -1, -1 };
	static struct err e;
	sigset_t chld;
	int sigfd, r, gate[2];
	pid_t pid;

	(void)setsid();       /* cannot fail: a new process leads nothing */
	(void)close(i->peer); /* or the socket would never end with the supervisor */
	wait_for_go(i->sock);
	if (set_up(i, &tty, &e) < 0)
		give_up(i->sock, &e);
	if (tty.master >= 0)
		hand_over_tty(i->sock, &tty);

	(void)sigemptyset(&chld);
	(void)sigaddset(&chld, SIGCHLD);
	sigfd = signalfd(-1, &chld, SFD_CLOEXEC);
	/*
	 * Nothing in the namespace may look into, or trace, a process that still has this program
	 * and its memory.
	 */
	if (sigfd < 0 || pipe2(gate, O_CLOEXEC) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0) {
		(void)err_set(&e, errno, NULL, "cannot set up process 1");
		give_up(i->sock, &e);
	}
	pid = start_command(i, tty.slave, gate);
	if (pid < 0) {
		(void)err_set(&e, errno, NULL, "cannot start the command");
		give_up(i->sock, &e);
	}
	if (forget_words(&e) < 0)
		give_up(i->sock, &e);
	/*
	 * Init keeps nothing of the caller's: neither descriptors that something could leak from,
	 * nor the other end of its pipes. But it keeps the command's terminal open, which would
	 * hang up on those who want to open it again once nobody has it open. With the gate closed,
	 * the command starts.
	 */
	r = fd_let_go(i->sock, sigfd, tty.slave);
	if (r < 0) {
		(void)err_set(&e, -r, NULL, "cannot close descriptors");
		give_up(i->sock, &e);
	}
	live(i->sock, sigfd, pid);
}
