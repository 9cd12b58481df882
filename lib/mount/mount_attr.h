/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_MOUNT_ATTR_H
#define MOUNT_MOUNT_ATTR_H

#include "../base/cleanup.h"
#include "flags.h"

/*
 * Set the flags and the propagation of a detached mount that this process made and, unless userns
 * is -1, the map of that user namespace: mount_setattr(2). Returns 0 or -errno and fills no struct
 * err.
 */
MUST_CHECK int mount_attr_set(int fd, const struct mount_flags *flags, int userns);

/*
 * Set them, as mount_attr_set() does, on every mount of the tree at fd: on all of them, or on none.
 */
MUST_CHECK int mount_attr_set_all(int fd, const struct mount_flags *flags, int userns);

/* The argument of mount_setattr(2) for these flags and, unless userns is -1, that map. */
struct mount_attr mount_attr_of(const struct mount_flags *flags, int userns);

/* Private propagation and unchanged flags, for clones that are only used internally. */
extern const struct mount_flags mount_flags_private;

#endif
