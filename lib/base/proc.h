/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <sys/types.h>

#include "err.h"

/*
 * Call fn for each process in /proc. proc is an open /proc, and name the pid as text, for opening
 * files below proc; the process may have exited meanwhile. If fn returns other than 0, stop and
 * return that. Fails itself if /proc cannot be listed.
 */
MUST_CHECK int proc_each(
	int (*fn)(int proc, const char *name, pid_t pid, void *arg), void *arg, struct err *e);

/* Return the number of processors that the calling thread may use (sched_getaffinity(2)). */
unsigned proc_processors(void);

#endif
