/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* signals: stop a command in an orderly way, but soon. */

#include "signals.h"

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
#include <unistd.h>

#include "../lib/base/cleanup.h"
#include "../lib/base/stop.h"

/* Less than a second in total. */
enum { TIDY_MS = 500, REST_MS = 300 };

/* Async-signal-safe: a single system call. */
static void wake_after(int ms)
{
	const struct itimerval t = { .it_value = { .tv_usec = ms * 1000 } };

	(void)setitimer(ITIMER_REAL, &t, NULL); /* a valid time */
}

static void on_signal(int sig)
{
	stop_ask(sig);
	wake_after(TIDY_MS);
}

/*
 * Loops in libraries do not check for the signal, and calls such as flock(2) may wait. An orderly
 * end is not required: what is published is complete at any time, and the next run removes the
 * rest.
 */
static void on_alarm(int sig)
{
	static const char text[] =
		"shiftbox: interrupted; what is left of the work is removed by the next run\n";

	(void)sig;
	if (!stop_hurried()) {
		stop_hurry();
		wake_after(REST_MS);
		return;
	}
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1); /* a failure cannot be reported */
	signals_raise();
}

void signals_catch(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction alarm = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	sigset_t set;

	(void)sigemptyset(&set); /* the signals are valid, so none of these can fail */
	(void)sigaddset(&set, SIGALRM);
	(void)sigaction(SIGALRM, &alarm, NULL);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		const struct sigaction sa = { .sa_handler = on_signal,
			.sa_flags = (int)SA_RESETHAND };
		struct sigaction old;

		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &sa, NULL);
	}
}

void signals_raise(void)
{
	int sig = stop_signal();

	if (!sig)
		return;
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}
