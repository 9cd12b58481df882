/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* as_user: go on with the rights of a user. */

#include "as_user.h"

#include <unistd.h>

int as_user_become(const struct user *user)
{
	if (geteuid() != 0 || user->uid == 0)
		return 0;
	if (names_init_groups(user->name, user->gid) < 0 ||
		setresgid(user->gid, user->gid, user->gid) < 0 ||
		setresuid(user->uid, user->uid, user->uid) < 0)
		return -1;
	return 0;
}
