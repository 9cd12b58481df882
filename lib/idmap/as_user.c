/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* as_user: go on with the rights of a user. */

#include "as_user.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../base/caps.h"

static int failed(const char *what, struct err *e)
{
	return err_set(e, errno, NULL, "%s", what);
}

/* Another user than root may have another group than that of its account (newgrp(1)). */
static int check_ids(const struct user *u, bool groups, struct err *e)
{
	uid_t uid[3];
	gid_t gid[3];

	if (getresuid(&uid[0], &uid[1], &uid[2]) < 0 || getresgid(&gid[0], &gid[1], &gid[2]) < 0)
		return failed("cannot read back the ids", e);
	for (size_t i = 0; i < ARRAY_LEN(uid); i++)
		if (uid[i] != u->uid || (groups && gid[i] != u->gid))
			return err_say(
				e, EPERM, u->name, "the process has other ids than the user");
	return 0;
}

int as_user_become(const struct user *user, struct err *e)
{
	if (geteuid() != 0 || user->uid == 0)
		return 0;
	if (names_init_groups(user->name, user->gid) < 0 ||
		setresgid(user->gid, user->gid, user->gid) < 0 ||
		setresuid(user->uid, user->uid, user->uid) < 0)
		return failed("cannot become the user", e);
	return check_ids(user, true, e);
}

int as_user_drop(const struct user *user, struct err *e)
{
	struct caps caps;
	int r = as_user_become(user, e);

	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = failed("cannot set no_new_privs", e);
	/* After the change of ids, which resets it (kernel/cred.c, commit_creds()) */
	if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		r = failed("cannot end with the process that has started this one", e);
	if (r == 0)
		r = check_ids(user, false, e);
	if (r < 0)
		return r;
	if (user->uid == 0 || caps_get(&caps) < 0 || caps.effective || caps.permitted)
		return err_say(e, EPERM, user->name, "the process of the user has capabilities");
	return 0;
}
