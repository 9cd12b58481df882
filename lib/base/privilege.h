/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_PRIVILEGE_H
#define BASE_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

/*
 * The caller chooses paths, options and environment of this program. With privileges that the
 * caller does not have (set-uid, file capabilities), it would hand those out, so it refuses to run.
 */
struct privilege {
	uid_t uid, euid;
	gid_t gid, egid;
	bool secure;       /* AT_SECURE: set-id bits, file capabilities, or an SELinux or AppArmor
	                      transition */
	mode_t mode;       /* of the program's file; 0: unknown */
	bool capabilities; /* the file has capabilities, as far as known */
	int file;          /* 0, or the errno that kept mode and capabilities from being read */
	char path[4096];   /* of the program's file, for messages */
};

/* Fill *ret from the ids of the process, getauxval(3), and /proc/self/exe (by descriptor). */
void privilege_read(struct privilege *ret);

/*
 * Returns 0, 1 if the program may run but must not trust its environment, or -EPERM if the caller
 * must not run it.
 */
MUST_CHECK int privilege_judge(const struct privilege *p, struct err *e);

#endif
