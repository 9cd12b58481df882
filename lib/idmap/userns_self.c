/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* userns_self: the user namespace that the caller is in. */

#include "userns_self.h"

/* PROC_USER_INIT_INO of include/linux/proc_ns.h; include/uapi/linux/nsfs.h makes it ABI. */
enum { INITIAL_INO = 0xeffffffdU };

bool userns_stat_is_initial(const struct stat *st)
{
	return st->st_ino == INITIAL_INO;
}

bool userns_is_initial(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && userns_stat_is_initial(&st);
}

bool userns_is_nested(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && !userns_stat_is_initial(&st);
}
