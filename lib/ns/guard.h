/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NS_GUARD_H
#define NS_GUARD_H

#include "../base/err.h"

/*
 * Make every call of the chown family (chown, fchown, lchown, fchownat and their 32-bit variants; io_uring
 * has none) fail with EPERM, on every ABI the machine runs, for this thread, the threads it starts later
 * and all children. For good: a filter cannot be taken off.
 *
 * Returns 1 when the filter is there, and 0, with a verbose message, for an ordinary user without
 * CAP_SYS_ADMIN: see load() in guard.c. Whoever then enters a user namespace of its own must call it
 * again there, where the capability is held and no_new_privs is not needed; a command that re-executes
 * itself in one gets that from main(). Else -errno (ENOSYS, EINVAL: a kernel without seccomp filters).
 */
int guard_install(struct err *e);

#endif
