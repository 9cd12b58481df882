/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* signals: say at once that a command stops, and stop it in an orderly way, but soon. */

#include "signals.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "../lib/base/buf.h"
#include "../lib/base/cleanup.h"
#include "../lib/base/json.h"
#include "../lib/base/out.h"
#include "../lib/base/stop.h"

/* Less than a second in total. */
enum { DRAW_MS = 250, TIDY_MS = 500, REST_MS = 300 };

/* SIGQUIT: Ctrl-\ on a terminal. */
static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* Everything is prepared: few functions may be called in a signal handler (signal-safety(7)). */
static struct {
	const char *command;
	bool json;
	pid_t pid;                          /* children inherit the handlers */
	char lines[ARRAY_LEN(deadly)][512]; /* to print, for each signal */
	bool orderly, take_time, drawing, said;
} state;

static void set_flag(bool *flag, bool value)
{
	__atomic_store_n(flag, value, __ATOMIC_SEQ_CST);
}

static bool get_flag(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

/* Async-signal-safe: a single system call. */
static void wake_after(int ms)
{
	const struct itimerval t = { .it_value = { .tv_usec = ms * 1000 } };

	(void)setitimer(ITIMER_REAL, &t, NULL); /* a valid time */
}

/* A full pipe or a stopped terminal must not keep the process from ending. */
static void say(void)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (__atomic_exchange_n(&state.said, true, __ATOMIC_SEQ_CST))
		return;
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		if (deadly[i] == stop_signal() && poll(&p, 1, 0) > 0)
			(void)!write(STDERR_FILENO, state.lines[i],
				strlen(state.lines[i])); /* a failure cannot be reported */
}

/* Is there nothing to clean up, or no time for it? */
static bool ends_at_once(void)
{
	return !get_flag(&state.orderly) || stop_is_waiting();
}

void signals_obey(void)
{
	if (!stop_signal())
		return;
	say();
	if (ends_at_once())
		signals_raise();
}

static void on_signal(int sig)
{
	if (getpid() != state.pid) {
		(void)raise(sig); /* SA_RESETHAND has restored the default action */
		return;
	}
	stop_ask(sig);
	if (!get_flag(&state.drawing))
		signals_obey();
	if (!ends_at_once())
		wake_after(TIDY_MS);
	else if (get_flag(&state.drawing))
		wake_after(DRAW_MS);
}

/*
 * Loops in libraries do not check for the signal, and calls such as flock(2) may wait. An orderly
 * end is not required: what is published is complete at any time, and the next run removes the
 * rest.
 */
static void on_alarm(int sig)
{
	(void)sig;
	if (!stop_signal() || getpid() != state.pid)
		return;
	say();
	if (get_flag(&state.take_time))
		return;
	if (ends_at_once() || stop_hurried()) {
		signals_raise();
		return;
	}
	stop_hurry();
	wake_after(REST_MS);
}

/* The line is the object that out_message_json() prints. If memory is short, the text stays. */
static void json_line(char *line, size_t size, const char *what)
{
	struct json_writer w = { 0 };
	scoped_buf struct buf text = BUF_INIT;

	json_write_object(&w, NULL);
	json_write_i64(&w, "version", OUT_JSON_VERSION);
	json_write_object(&w, "message");
	json_write_str(&w, "command", state.command);
	json_write_str(&w, "level", "warning");
	json_write_str(&w, "what", what);
	json_write_end(&w);
	json_write_end(&w);
	if (json_writer_print(&w, JSON_LINE, &text) == 0)
		(void)snprintf(line, size, "%s\n", buf_get(&text));
	json_writer_done(&w);
}

/* Of both forms the text fits: all words are constants. */
static void prepare_line(char *line, size_t size, int sig, const char *left)
{
	char what[300];

	(void)snprintf(what, sizeof(what), "stopped by SIG%s%s%s", sigabbrev_np(sig),
		left ? ": " : "", left ? left : "");
	(void)snprintf(line, size, "%sshiftbox %s: %s\n",
		isatty(STDERR_FILENO) ? "\r" : "", /* over the ^C of the terminal */
		state.command, what);
	if (state.json)
		json_line(line, size, what);
}

static void install(int flags)
{
	const struct sigaction alarm = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | flags };

	(void)sigaction(SIGALRM, &alarm, NULL); /* the signals are valid, so none can fail */
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++) {
		struct sigaction old;

		if (sigaction(deadly[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(deadly[i], &sa, NULL);
	}
}

/* Prepare and install while no signal can arrive. */
static void change(bool orderly, int flags, const char *left)
{
	sigset_t set, old;
	bool blocked;

	(void)sigemptyset(&set); /* the signals are valid, so none of these can fail */
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		(void)sigaddset(&set, deadly[i]);
	blocked = sigprocmask(SIG_BLOCK, &set, &old) == 0;
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		prepare_line(state.lines[i], sizeof(state.lines[i]), deadly[i], left);
	set_flag(&state.orderly, orderly);
	install(flags);
	if (!blocked)
		return; /* then "old" is not set */
	(void)sigdelset(&old, SIGALRM);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
}

void signals_start(const char *command, bool json, const char *left)
{
	state.command = command;
	state.json = json;
	state.pid = getpid();
	change(false, SA_RESTART, left);
}

void signals_catch(enum signals_way way, const char *left)
{
	change(true, way == SIGNALS_RESTART ? SA_RESTART : 0, left);
}

void signals_take_time(void)
{
	set_flag(&state.take_time, true);
}

void signals_drawing(bool on)
{
	set_flag(&state.drawing, on);
	if (!on)
		signals_obey(); /* the signal may have come while the thread was ending */
}

void signals_raise(void)
{
	int sig = stop_signal();

	if (!sig)
		return;
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}
