/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The supervisor: relay the terminal's data and signals, and handle init's messages. */

#include "run_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/guard.h"
#include "../base/log.h"
#include "../base/subprocess.h"
#include "../broker/broker.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

enum { BROKER_END_MS = 15 * 1000, BROKER_KILLED_MS = 1000 };

/* Data on its way. bytes[at] to bytes[len - 1] still have to be written. */
struct flow {
	int from, to;
	size_t at, len;
	bool ended;
	char bytes[8192];
};

struct relay {
	const struct run_spec *spec;
	struct run_handle init;
	int sigfd, master;
	bool raw;              /* the caller's terminal is in raw mode */
	bool started;          /* the command has its terminal */
	bool gone;             /* init has closed its end of the socket */
	struct termios caller; /* attributes of the caller's terminal, to restore */
	struct flow in, out;
	pid_t broker;
	int status; /* -1: unknown yet */
	struct err failure;
};

/* --- the terminal --- */

static void tty_raw(struct relay *r)
{
	struct termios raw = r->caller;

	cfmakeraw(&raw);
	r->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static void tty_restore(struct relay *r)
{
	if (r->raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN,
			&r->caller); /* fails if the terminal has hung up */
	r->raw = false;
}

static void tty_resize(const struct relay *r)
{
	struct winsize size;

	if (r->master >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		(void)ioctl(r->master, TIOCSWINSZ, &size); /* not essential */
}

/*
 * Take over fd, the master of the command's terminal: give it the attributes of the caller's
 * terminal, and set that to raw mode.
 */
static int tty_start(struct relay *r, int fd, struct err *e)
{
	const struct run_msg go = { .kind = RUN_MSG_GO };
	scoped_fd int master = fd;

	if (fcntl(master, F_SETFL, O_NONBLOCK) < 0 || tcgetattr(STDIN_FILENO, &r->caller) < 0 ||
		tcsetattr(master, TCSANOW, &r->caller) < 0)
		return err_set(e, errno, NULL, "cannot set up the command's terminal");
	r->in = (struct flow){ .from = STDIN_FILENO, .to = master };
	r->out = (struct flow){ .from = master, .to = STDOUT_FILENO };
	r->master = TAKE_FD(master);
	tty_resize(r);
	tty_raw(r);
	return run_proto_tell(r->init.sock, &go, e);
}

static void flow_read(struct flow *f)
{
	ssize_t n = read(f->from, f->bytes, sizeof(f->bytes));

	f->at = 0;
	f->len = n > 0 ? (size_t)n : 0;
	/* EIO: no process has the command's terminal open. */
	f->ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static void flow_write(struct flow *f)
{
	ssize_t n = write(f->to, f->bytes + f->at, f->len - f->at);

	if (n > 0)
		f->at += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		f->at = f->len = 0; /* no reader is left: drop the data */
}

/* What to poll for: the sink if there is data to write, otherwise the source. */
static struct pollfd flow_poll(const struct flow *f, bool on)
{
	bool full = f->at < f->len;

	return (struct pollfd){
		.fd = !on || (f->ended && !full) ? -1 :
			full                     ? f->to :
						   f->from,
		.events = full ? POLLOUT : POLLIN,
	};
}

static void flow_go(struct flow *f, short revents)
{
	if (!revents)
		return;
	if (f->at < f->len)
		flow_write(f);
	else
		flow_read(f);
}

/* --- ending the broker --- */

static bool broker_reap(struct relay *r, int flags)
{
	int status;
	pid_t pid;

	do
		pid = r->broker > 0 ? waitpid(r->broker, &status, flags) : -1;
	while (pid < 0 && r->broker > 0 && errno == EINTR);
	if (pid == 0)
		return false;
	if (pid > 0 && WIFSIGNALED(status))
		log_warn("the broker was killed by signal %d: calls that it should decide fail "
			 "with ENOSYS",
			WTERMSIG(status));
	r->broker = 0;
	return true;
}

/*
 * Once init is dead, the broker has no more callers, and ends. It may hang in a filesystem that
 * does not answer, so wait for a bounded time and kill it.
 */
static void broker_wait(struct relay *r)
{
	if (broker_reap(r, WNOHANG))
		return;
	if (!subprocess_ends(r->broker, BROKER_END_MS)) {
		log_warn("the broker hangs: killing it");
		(void)kill(r->broker, SIGKILL); /* not reaped yet, so the pid is not reused */
		if (!subprocess_ends(r->broker, BROKER_KILLED_MS)) {
			log_warn("the broker (process %d) is left: it ends when the filesystem "
				 "answers that it waits for",
				(int)r->broker);
			return;
		}
	}
	(void)broker_reap(r, 0);
}

/* --- signals --- */

static void forward(const struct relay *r, const struct run_msg *msg)
{
	struct err e = ERR_INIT;

	if (run_proto_tell(r->init.sock, msg, &e) < 0)
		log_warn("signal %d did not reach the command: %s", msg->value,
			strerrordesc_np(e.num));
}

/*
 * SIGTSTP: stop the supervisor, and also the command unless it has a terminal of its own. The
 * command gets SIGSTOP, because its process group is orphaned: the kernel does not stop such a
 * group on SIGTSTP (setpgid(2)).
 */
static void stop(struct relay *r)
{
	struct run_msg msg = { .kind = RUN_MSG_SIGNAL, .value = SIGSTOP, .group = true };

	if (r->master < 0)
		forward(r, &msg);
	tty_restore(r);
	(void)raise(SIGSTOP);
	msg.value = SIGCONT;
	if (r->master < 0)
		forward(r, &msg);
	else
		tty_raw(r);
	tty_resize(r);
}

/* The command does not run yet: signals that terminate a program end init; drop the others. */
static void end_early(struct relay *r, int sig)
{
	if (sig != SIGINT && sig != SIGTERM && sig != SIGHUP && sig != SIGQUIT)
		return;
	if (r->status < 0)
		log_warn("stopped by SIG%s: the command was not started; nothing is left",
			sigabbrev_np(sig));
	r->status = RUN_SIGNAL + sig;
	(void)kill(r->init.pid, SIGKILL); /* not reaped yet, so the pid is not reused */
}

static void on_signal(struct relay *r)
{
	struct signalfd_siginfo si;
	struct run_msg msg = { .kind = RUN_MSG_SIGNAL };

	if (read(r->sigfd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	if (si.ssi_signo == SIGCHLD) {
		broker_reap(r, WNOHANG); /* init's exit shows on the socket */
		return;
	}
	if (!r->started && si.ssi_signo != SIGTSTP) {
		end_early(r, (int)si.ssi_signo);
		return;
	}
	if (si.ssi_signo == SIGTSTP) {
		stop(r);
		return;
	}
	if (si.ssi_signo == SIGWINCH && r->master >= 0) {
		tty_resize(r);
		return;
	}
	if (si.ssi_signo == SIGCONT && r->master >= 0) {
		tty_raw(r); /* the shell may have changed the terminal meanwhile */
		return;
	}
	/* A signal from the terminal is for the whole foreground process group. */
	msg.value = (int)si.ssi_signo;
	msg.group = si.ssi_code == SI_KERNEL;
	forward(r, &msg);
}

/* --- init and broker --- */

/* Fork the broker. Only the supervisor returns. */
static int broker_start(struct relay *r, int listener, struct err *e)
{
	r->broker = fork();
	if (r->broker < 0)
		return err_set(e, errno, NULL, "cannot start the broker");
	if (r->broker > 0)
		return 0;

	cleanup_fd(&r->init.sock); /* so that init notices the supervisor's death */
	cleanup_fd(&r->master);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || guard_install(false, e) < 0 ||
		broker_serve(r->spec->broker, listener, r->init.userns, e) < 0)
		log_warn("the broker cannot continue: %s%s%s", e->what, e->num ? ": " : "",
			e->num ? strerrordesc_np(e->num) : "");
	if (r->spec->report) {
		broker_report(r->spec->broker, r->spec->report);
		(void)out_flush(r->spec->report); /* there is no other place to report to */
	}
	_exit(0);
}

/*
 * Close stdin and stdout here: if they are pipes, the process at the other end then notices when
 * the command closes them.
 */
static int release_pipes(struct err *e)
{
	scoped_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return err_set(
			e, errno, NULL, "cannot close standard input and output in the supervisor");
	return 0;
}

static int on_message(struct relay *r, struct err *e)
{
	scoped_fd int fd = -1;
	static struct run_msg msg;
	int n = run_proto_receive(r->init.sock, &msg, &fd);

	if (n < 0)
		return err_set(e, -n, NULL,
			"cannot receive a message from process 1 of the command's namespace");
	if (n == 0) {
		r->gone = true;
		return 0;
	}
	switch (msg.kind) {
	case RUN_MSG_TTY:
		return tty_start(r, TAKE_FD(fd), e);
	case RUN_MSG_STARTED:
		r->started = true;
		return r->master < 0 ? release_pipes(e) : 0;
	case RUN_MSG_LISTENER:
		return broker_start(r, fd, e);
	case RUN_MSG_FAILED:
		r->failure = msg.e;
		r->status = msg.value;
		break;
	case RUN_MSG_ENDED:
		if (r->status < 0)
			r->status = WIFSIGNALED(msg.value) ? RUN_SIGNAL + WTERMSIG(msg.value) :
							     WEXITSTATUS(msg.value);
		break;
	}
	return 0;
}

static int serve(struct relay *r, struct err *e)
{
	while (!r->gone) {
		struct pollfd p[] = {
			{ .fd = r->init.sock, .events = POLLIN },
			{ .fd = r->sigfd, .events = POLLIN },
			flow_poll(&r->in, r->master >= 0 && r->started),
			flow_poll(&r->out, r->master >= 0),
		};
		int n;

		if (poll(p, ARRAY_LEN(p), -1) < 0) {
			if (errno != EINTR)
				return err_set(e, errno, NULL, "cannot wait for the command");
			continue;
		}
		/* Read init's message first: once the command has started, signals are for it. */
		n = p[0].revents ? on_message(r, e) : 0;
		if (n < 0)
			return n;
		if (p[1].revents)
			on_signal(r);
		flow_go(&r->in, p[2].revents);
		flow_go(&r->out, p[3].revents);
	}
	return 0;
}

/* Did a terminating signal arrive? */
static bool must_end(const struct relay *r)
{
	struct signalfd_siginfo si;

	if (read(r->sigfd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return false;
	return si.ssi_signo == SIGINT || si.ssi_signo == SIGTERM || si.ssi_signo == SIGHUP ||
		si.ssi_signo == SIGQUIT;
}

/*
 * Copy what the command has written before it ended. Do not wait for more, although another process
 * may still have its terminal open; wait only for the caller's terminal to accept the data.
 */
static void drain(struct relay *r)
{
	while (r->master >= 0) {
		struct pollfd p[] = { { .fd = r->out.to, .events = POLLOUT },
			{ .fd = r->sigfd, .events = POLLIN } };

		if (r->out.at == r->out.len) {
			flow_read(&r->out);
			if (!r->out.len)
				return;
			continue;
		}
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return;
		if (p[1].revents && must_end(r))
			return;
		if (p[0].revents)
			flow_write(&r->out);
	}
}

/* Init's own exit status matters only if init sent no status of the command. */
static int reap(struct relay *r, struct err *e)
{
	siginfo_t info = { .si_signo = 0 };

	while (waitid(P_PIDFD, (id_t)r->init.pidfd, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	drain(r);
	tty_restore(r);
	broker_wait(r);
	while (waitid(P_PIDFD, (id_t)r->init.pidfd, &info, WEXITED) < 0 && errno == EINTR)
		;
	if (r->status >= 0)
		return r->status;
	if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED) {
		log_warn("process 1 of the command's namespace was killed by signal %d",
			info.si_status);
		return RUN_SIGNAL + info.si_status;
	}
	return err_say(e, ECHILD, NULL, "process 1 of the command's namespace exited unexpectedly");
}

int run_relay(const struct run_spec *s, const struct run_handle *init, int sigfd, struct err *e)
{
	struct relay r = { .spec = s, .init = *init, .sigfd = sigfd, .master = -1, .status = -1 };
	int n = serve(&r, e), status;

	if (n < 0)
		(void)kill(init->pid, SIGKILL); /* not reaped yet, so the pid is not reused */
	status = reap(&r, n < 0 ? NULL : e);
	cleanup_fd(&r.master);
	if (n < 0)
		return n;
	if (r.failure.set) {
		*e = r.failure;
		return status == RUN_FAILED ? -(r.failure.num ? r.failure.num : EINVAL) : status;
	}
	return status;
}
