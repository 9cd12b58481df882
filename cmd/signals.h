/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_SIGNALS_H
#define CMD_SIGNALS_H

#include <stdbool.h>

/*
 * What SIGINT, SIGTERM, SIGHUP and SIGQUIT do: one line is printed at once, which says what the
 * command leaves, and the process ends within a second, by the signal, so that its parent sees it.
 * A second signal of the same kind ends the process immediately. A signal that the parent has
 * ignored (nohup(1)) remains ignored. Children that the command forks end without a line.
 */

/*
 * From now on, the signals end the process after the line. left: what the line says after the
 * signal's name, ASCII without quotes, or NULL. json: the line is a message in JSON form. Both
 * strings must stay valid.
 */
void signals_start(const char *command, bool json, const char *left);

enum signals_way {
	SIGNALS_INTERRUPT, /* system calls that wait fail with EINTR, which is checked everywhere */
	SIGNALS_RESTART,   /* they go on */
};

/*
 * From now on, the first signal asks the command to stop (lib/base/stop.h) and leaves it half a
 * second to clean up; then cleaning up is asked to end as well, and the process ends 0.3 seconds
 * later. The command calls signals_raise() when it has cleaned up. left: what the line says after
 * the signal's name.
 */
void signals_catch(enum signals_way way, const char *left);

/* Cleaning up must not be cut short: after a signal, the process ends with signals_raise() only. */
void signals_take_time(void);

/*
 * While on is true, a thread draws on the terminal. It checks stop_signal(), erases what it has
 * drawn, and calls signals_obey(), so that the line is not drawn over. If it does not within a
 * fraction of a second, the line is printed regardless.
 */
void signals_drawing(bool on);

/* After a signal: print the line, and end the process unless signals_catch() was called. */
void signals_obey(void);

/* End the process as the signal would have. Returns if there was no signal. */
void signals_raise(void);

#endif
