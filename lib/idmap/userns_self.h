/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_USERNS_SELF_H
#define IDMAP_USERNS_SELF_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Are we in a user namespace other than the first one? That one's inode number is fixed
 * (PROC_USER_INIT_INO, include/uapi/linux/nsfs.h). Without /proc the answer is no.
 */
static inline bool userns_self(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != 0xEFFFFFFDU;
}

#endif
