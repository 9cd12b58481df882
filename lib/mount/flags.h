/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_FLAGS_H
#define MOUNT_FLAGS_H

#include <stdint.h>

/*
 * The flags and the propagation that a mount is to have, as mount_setattr(2) takes them. A bit of
 * set wins over the same bit of clear.
 */
struct mount_flags {
	uint64_t set, clear;  /* MOUNT_ATTR_*, never MOUNT_ATTR_IDMAP */
	uint64_t propagation; /* MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE; 0: unchanged */
};

#endif
