/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGISTRY_CONFINE_H
#define REGISTRY_CONFINE_H

#include <stddef.h>

#include "../base/err.h"

/*
 * Give up all privileges of this process, for good, before it talks to other machines:
 *
 *   - all descriptors but those of keep, which are above 2, are closed; standard input, output and
 *     error become /dev/null, for reading;
 *   - root becomes a user that no account and no other process is: 0xf0000000 and the process id.
 * In a user namespace without such an id, 65534 is next. An ordinary user remains the same;
 *   - no capabilities, no groups, no_new_privs, no core dumps, and no tracing by others;
 *   - a seccomp filter refuses all system calls but those of a client: sockets, reading files, and
 *     threads. Opening a file for writing fails, as do executing, and creating other processes.
 *
 * Only one thread may exist. Returns 0, or -errno with e filled; the process must then end.
 */
MUST_CHECK int confine(const int *keep, size_t n, struct err *e);

#endif
