/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_GUARD_H
#define BASE_GUARD_H

#include <stdbool.h>

#include "err.h"

/*
 * Install a seccomp filter that makes every call of the chown family (chown, fchown, lchown,
 * fchownat and their 32-bit variants; io_uring has none) fail with EPERM, on every ABI of the
 * machine, for this thread, the threads that it starts later, and all children. A filter cannot be
 * removed.
 *
 * Without CAP_SYS_ADMIN, a filter requires no_new_privs, and with that, set-uid programs that this
 * process or its children execute do not get their privileges. setuid: the caller needs such
 * programs (newuidmap(1)); then an ordinary user gets no filter. A process that enters a user
 * namespace of its own should do that first and call this there, where it has CAP_SYS_ADMIN.
 *
 * Returns 1 if the filter is installed, 0, which is logged (log_verbose), if setuid forbids it, or
 * -errno (ENOSYS, EINVAL: a kernel without seccomp filters).
 */
MUST_CHECK int guard_install(bool setuid, struct err *e);

#endif
