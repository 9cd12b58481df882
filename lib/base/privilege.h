/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_PRIVILEGE_H
#define BASE_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

/*
 * This program serves callers who have the rights already: paths, options and environment are
 * theirs to choose. With rights that the caller does not have it would hand them out, so it does
 * not run then.
 */
struct privilege {
	uid_t uid, euid;
	gid_t gid, egid;
	bool secure; /* AT_SECURE: by set-id bits, file capabilities, or an SELinux or AppArmor
	                transition */
	mode_t mode; /* of this program's file; 0: not known */
	bool capabilities; /* of that file, as far as known */
	int file;          /* 0: both are known; else the errno that kept us from asking */
	char path[4096];   /* of that file, for messages */
};

/* How was this process started? Asks its ids, getauxval(3), and /proc/self/exe by descriptor. */
void privilege_read(struct privilege *ret);

/* 0; 1: may run, but the environment is not to be trusted; -EPERM: the caller must not run it. */
MUST_CHECK int privilege_judge(const struct privilege *p, struct err *e);

#endif
