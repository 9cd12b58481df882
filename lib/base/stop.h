/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <stdbool.h>

#include "err.h"

/*
 * Was the process asked to end? A signal handler says so, and every loop that an image or a tree
 * can make long checks it once per turn. There is one flag, because signals are sent to a process.
 */

/*
 * For signal handlers. stop_hurry(): tidying up must end too; what is left is for the next run, as
 * after a kill -9.
 */
void stop_ask(int sig);
void stop_hurry(void);

/* The signal, or 0. */
int stop_signal(void);

/* 0, or -ECANCELED with e filled once the process was asked to end. */
MUST_CHECK int stop_check(struct err *e);

bool stop_hurried(void);

#endif
