/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <sys/types.h>

#include "err.h"

/*
 * Call fn for each process that /proc shows. proc is an open /proc, and name the number of the
 * process as text, to open files below proc with. The process may have ended meanwhile. Stops when
 * fn returns other than 0, and returns that. An error of its own is that /proc cannot be listed.
 */
MUST_CHECK int proc_each(
	int (*fn)(int proc, const char *name, pid_t pid, void *arg), void *arg, struct err *e);

/* The number of processors that the calling thread may run on (sched_getaffinity(2)), at least 1.
 */
unsigned proc_processors(void);

#endif
