/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_GUARD_H
#define BASE_GUARD_H

#include <stdbool.h>

#include "err.h"

/*
 * Make every call of the chown family (chown, fchown, lchown, fchownat and their 32-bit variants;
 * io_uring has none) fail with EPERM, on every ABI the machine runs, for this thread, the threads
 * it starts later and all children. For good: a filter cannot be taken off.
 *
 * Without CAP_SYS_ADMIN a filter takes no_new_privs, with which no set-uid program gets its
 * privilege any more: neither in this process nor in what it starts. setuid: those are needed
 * (newuidmap). An ordinary user then gets no filter. Whoever enters a user namespace of its own
 * does that first and calls this there, where the capability is held and no_new_privs is not
 * needed.
 *
 * Returns 1 when the filter is there, and 0, with a verbose message, where setuid forbids it. Else
 * -errno (ENOSYS, EINVAL: a kernel without seccomp filters).
 */
MUST_CHECK int guard_install(bool setuid, struct err *e);

#endif
