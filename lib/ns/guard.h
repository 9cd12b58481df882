/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NS_GUARD_H
#define NS_GUARD_H

#include "../base/err.h"

/*
 * Make every call of the chown family (chown, fchown, lchown, fchownat and their 32-bit variants; io_uring
 * has none) fail with EPERM, on every ABI the machine runs, for this process, its threads and its children. For good: a filter cannot be taken off. Needs CAP_SYS_ADMIN or sets
 * no_new_privs. Returns 0 or -errno (ENOSYS: a kernel without seccomp).
 */
int guard_install(struct err *e);

#endif
