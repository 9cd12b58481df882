/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_AS_USER_H
#define SURVEY_AS_USER_H

#include "../idmap/names.h"

/*
 * In a child process of root, become the user for good: the groups, all group ids and all user ids.
 * The process is then not dumpable, so that the user cannot trace it. Other callers, and the user
 * 0, stay what they are. Returns 0, or -1 with errno.
 */
MUST_CHECK int as_user_become(const struct user *user);

#endif
