/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* run_relay: the supervisor's life: bytes of the terminal, signals, what init says. */

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

/* Bytes on their way: what is between at and len waits for to. */
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
	bool raw;              /* the caller's terminal is */
	bool started, gone;    /* the command is there; init has closed its end */
	struct termios caller; /* as it was */
	struct flow in, out;
	pid_t broker;
	int status; /* -1: not known yet */
	struct err failure;
};

/*
 * --- the terminal ------------------------------------------------------------------------------
 */

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
			&r->caller); /* a terminal that is gone needs none */
	r->raw = false;
}

static void tty_resize(const struct relay *r)
{
	struct winsize size;

	if (r->master >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		(void)ioctl(r->master, TIOCSWINSZ, &size); /* a size is no more than a courtesy */
}

/*
 * The command's terminal, which is taken over, begins as the caller's is, which becomes a mere line
 * to it.
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
	/* The last one to have the command's terminal open has closed it: EIO. */
	f->ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static void flow_write(struct flow *f)
{
	ssize_t n = write(f->to, f->bytes + f->at, f->len - f->at);

	if (n > 0)
		f->at += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		f->at = f->len = 0; /* nobody is there to read it */
}

/* What is to be waited for, for one flow: its source when there is room, else its sink. */
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

/*
 * --- the broker's end --------------------------------------------------------------------------
 */

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
 * With init all are gone whom it serves. A filesystem that somebody keeps from answering may keep
 * it, too.
 */
static void broker_wait(struct relay *r)
{
	if (broker_reap(r, WNOHANG))
		return;
	if (!run_ends(r->broker, BROKER_END_MS)) {
		log_warn("the broker hangs: it is killed");
		(void)kill(r->broker, SIGKILL); /* not reaped yet, so the number is still its own */
		if (!run_ends(r->broker, BROKER_KILLED_MS)) {
			log_warn("the broker (process %d) is left: it ends when the filesystem "
				 "answers that it waits for",
				(int)r->broker);
			return;
		}
	}
	(void)broker_reap(r, 0);
}

/*
 * --- signals -----------------------------------------------------------------------------------
 */

static void pass_on(const struct relay *r, const struct run_msg *msg)
{
	struct err e = ERR_INIT;

	if (run_proto_tell(r->init.sock, msg, &e) < 0)
		log_warn("signal %d did not reach the command: %s", msg->value,
			strerrordesc_np(e.num));
}

/*
 * Being stopped is for the supervisor and, where it has no terminal of its own to stop it by, for
 * the command too. SIGSTOP, because the command's process group has no parent in its session: the
 * kernel does not stop such by SIGTSTP.
 */
static void stop(struct relay *r)
{
	struct run_msg msg = { .kind = RUN_MSG_SIGNAL, .value = SIGSTOP, .group = true };

	if (r->master < 0)
		pass_on(r, &msg);
	tty_restore(r);
	(void)raise(SIGSTOP);
	msg.value = SIGCONT;
	if (r->master < 0)
		pass_on(r, &msg);
	else
		tty_raw(r);
	tty_resize(r);
}

/* Nothing runs yet: what ends a program ends this one, and the rest has nobody to go to. */
static void end_early(struct relay *r, int sig)
{
	if (sig != SIGINT && sig != SIGTERM && sig != SIGHUP && sig != SIGQUIT)
		return;
	r->status = RUN_SIGNAL + sig;
	(void)kill(r->init.pid, SIGKILL); /* not reaped yet, so the number is still its own */
}

static void on_signal(struct relay *r)
{
	struct signalfd_siginfo si;
	struct run_msg msg = { .kind = RUN_MSG_SIGNAL };

	if (read(r->sigfd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	if (si.ssi_signo == SIGCHLD) {
		broker_reap(r, WNOHANG); /* init is known by its descriptor */
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
		tty_raw(r); /* whoever had the terminal meanwhile may have changed it */
		return;
	}
	/*
	 * What the terminal sends is for all in the foreground, as the command's process group is.
	 */
	msg.value = (int)si.ssi_signo;
	msg.group = si.ssi_code == SI_KERNEL;
	pass_on(r, &msg);
}

/*
 * --- init and broker ---------------------------------------------------------------------------
 */

/* Returns in a process of its own, which never comes back from here. */
static int broker_start(struct relay *r, int listener, struct err *e)
{
	r->broker = fork();
	if (r->broker < 0)
		return err_set(e, errno, NULL, "cannot start the broker");
	if (r->broker > 0)
		return 0;

	cleanup_fd(&r->init.sock); /* init is to see the supervisor's death */
	cleanup_fd(&r->master);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || guard_install(false, e) < 0 ||
		broker_serve(r->spec->broker, listener, r->init.userns, e) < 0)
		log_warn("the broker cannot go on: %s%s%s", e->what, e->num ? ": " : "",
			e->num ? strerrordesc_np(e->num) : "");
	if (r->spec->report) {
		broker_report(r->spec->broker, r->spec->report);
		(void)out_flush(r->spec->report); /* nowhere left to say it */
	}
	_exit(0);
}

/*
 * The ends of pipes are the command's alone, so that whoever is at the other one sees it close
 * them.
 */
static int let_pipes_go(struct err *e)
{
	scoped_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return err_set(
			e, errno, NULL, "cannot leave standard input and output to the command");
	return 0;
}

static int on_message(struct relay *r, struct err *e)
{
	scoped_fd int fd = -1;
	static struct run_msg msg;
	int n = run_proto_receive(r->init.sock, &msg, &fd);

	if (n < 0)
		return err_set(
			e, -n, NULL, "cannot hear what process 1 of the command's namespace says");
	if (n == 0) {
		r->gone = true;
		return 0;
	}
	switch (msg.kind) {
	case RUN_MSG_TTY:
		return tty_start(r, TAKE_FD(fd), e);
	case RUN_MSG_STARTED:
		r->started = true;
		return r->master < 0 ? let_pipes_go(e) : 0;
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
		/*
		 * First what init has to say: that the command is there decides whose a signal is.
		 */
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

static bool told_to_end(const struct relay *r)
{
	struct signalfd_siginfo si;

	if (read(r->sigfd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return false;
	return si.ssi_signo == SIGINT || si.ssi_signo == SIGTERM || si.ssi_signo == SIGHUP ||
		si.ssi_signo == SIGQUIT;
}

/*
 * All that the command has written before it ended. More will not come, even if the command has
 * passed its terminal on to somebody who has it open still: so nothing is waited for but the
 * caller's terminal.
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
		if (p[1].revents && told_to_end(r))
			return;
		if (p[0].revents)
			flow_write(&r->out);
	}
}

/* Init's status is of no interest, but in the case that nothing was heard of it. */
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
	return err_say(
		e, ECHILD, NULL, "process 1 of the command's namespace ended without a word");
}

int run_relay(const struct run_spec *s, const struct run_handle *init, int sigfd, struct err *e)
{
	struct relay r = { .spec = s, .init = *init, .sigfd = sigfd, .master = -1, .status = -1 };
	int n = serve(&r, e), status;

	if (n < 0)
		(void)kill(init->pid, SIGKILL); /* not reaped yet, so the number is still its own */
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
