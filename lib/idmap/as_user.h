/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_AS_USER_H
#define IDMAP_AS_USER_H

#include "names.h"

/*
 * In a child process of root, become the user for good: the groups, all group ids and all user ids,
 * which are read back. The process is then not dumpable, so that the user cannot trace it. Other
 * callers, and the user 0, stay what they are. Returns 0 or -errno.
 */
MUST_CHECK int as_user_become(const struct user *user, struct err *e);

/*
 * Become the user, who is not 0, before the process looks at files of the user: it also has
 * no_new_privs, and is killed when the thread that has started it ends. -EPERM: the process has
 * other ids than the user, or capabilities.
 */
MUST_CHECK int as_user_drop(const struct user *user, struct err *e);

#endif
