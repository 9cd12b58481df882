/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_MKDIR_OWNED_H
#define MOUNT_MKDIR_OWNED_H

#include <stdint.h>

#include "../base/err.h"

/* An owner and mode to be born with. */
struct owner_mode {
	uint32_t uid, gid, mode;
};

/*
 * Create the directory dirfd/name with its final owner and mode, which are never changed
 * afterwards. A set-gid bit, a default ACL and the umask have no say. path: for messages. -EEXIST
 * when there is something of that name.
 */
int mkdir_owned(
	int dirfd, const char *name, const struct owner_mode *b, const char *path, struct err *e);

#endif
