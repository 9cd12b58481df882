/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <stdbool.h>

#include "err.h"

/*
 * Requests to end the process. A signal handler records the request, and every loop whose length an
 * image or a tree determines checks it in each turn. There is one flag, since signals are sent to a
 * process.
 */

/*
 * For signal handlers. stop_hurry() requests that cleaning up ends as well: the next run removes
 * what is left, as after a kill -9.
 */
void stop_ask(int sig);
void stop_hurry(void);

/* Return the signal that asked the process to end, or 0. */
int stop_signal(void);

/* Returns 0, or -ECANCELED with e filled if the process was asked to end. */
MUST_CHECK int stop_check(struct err *e);

/*
 * While on is true the process waits for the kernel, and cleaning up would have to wait, too. So a
 * signal handler may end the process at once: the next run removes what is left.
 */
void stop_set_waiting(bool on);
bool stop_is_waiting(void);

/* Was stop_hurry() called? */
bool stop_hurried(void);

#endif
