/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_FLAGS_H
#define MOUNT_FLAGS_H

#include <stdint.h>

#include "../base/cleanup.h"

/*
 * The flags and the propagation that a mount is to have, as mount_setattr(2) takes them. A bit of
 * set wins over the same bit of clear.
 */
struct mount_flags {
	uint64_t set, clear;  /* MOUNT_ATTR_*, never MOUNT_ATTR_IDMAP */
	uint64_t propagation; /* MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE; 0: unchanged */
};

/*
 * Read the flags of the mount that fd is on, as MOUNT_ATTR_*, by statfs(2). MOUNT_ATTR_RDONLY is
 * also set if the filesystem itself is read-only. Returns 0 or -errno and fills no struct err.
 */
MUST_CHECK int mount_flags_get(int fd, uint64_t *ret);

#endif
