/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_MKDIR_OWNED_H
#define MOUNT_MKDIR_OWNED_H

#include <stdint.h>

#include "../base/err.h"

/* The owner (disk ids) and the mode of a new directory. */
struct owner_mode {
	uint32_t uid, gid, mode;
};

/*
 * Create the directory dirfd/name with its final owner and mode, which are not changed afterwards.
 * The umask, and a set-gid bit or a default ACL of dirfd, have no effect. path is for messages.
 * -EEXIST: the name exists.
 */
MUST_CHECK int mkdir_owned(
	int dirfd, const char *name, const struct owner_mode *b, const char *path, struct err *e);

#endif
