/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stop: requests to end the process. */

#include "stop.h"

#include <errno.h>
#include <stddef.h>

static int asked;
static bool hurried, waiting;

void stop_ask(int sig)
{
	__atomic_store_n(&asked, sig, __ATOMIC_RELAXED);
}

void stop_hurry(void)
{
	__atomic_store_n(&hurried, true, __ATOMIC_RELAXED);
}

int stop_signal(void)
{
	return __atomic_load_n(&asked, __ATOMIC_RELAXED);
}

int stop_check(struct err *e)
{
	return stop_signal() ? err_say(e, ECANCELED, NULL, "interrupted") : 0;
}

void stop_set_waiting(bool on)
{
	__atomic_store_n(&waiting, on, __ATOMIC_SEQ_CST);
}

bool stop_is_waiting(void)
{
	return __atomic_load_n(&waiting, __ATOMIC_SEQ_CST);
}

bool stop_hurried(void)
{
	return __atomic_load_n(&hurried, __ATOMIC_RELAXED);
}
