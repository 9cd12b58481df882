/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_UMOUNT_H
#define MOUNT_UMOUNT_H

#include <stdbool.h>

#include "../base/err.h"
#include "../base/vec.h"

enum umount_how {
	UMOUNT_PLAIN,  /* unmount it unless it is busy */
	UMOUNT_TREE,   /* unmount what is below it first, innermost first; stop if one is busy */
	UMOUNT_DETACH, /* detach it and all below, even if they are busy */
};

/*
 * Unmount what is mounted on target. The path is looked up once, and a symbolic link in its last
 * component is not followed. -EINVAL: nothing is mounted there. -EBUSY: e names what uses the
 * mount, as far as /proc shows it.
 */
MUST_CHECK int umount_target(const char *target, enum umount_how how, struct err *e);

/*
 * Unmount like umount_target(), but only the mount with this id (mountinfo's): -EAGAIN if another
 * one is there. follow: the last component may be a symbolic link, if path.h follows it.
 */
MUST_CHECK int umount_id(
	const char *target, bool follow, int id, enum umount_how how, struct err *e);

/*
 * Check whether something is mounted there and, unless ret_below is NULL, list the mounts below it
 * in the order of UMOUNT_TREE, as paths relative to target.
 */
MUST_CHECK int umount_check(const char *target, struct strv *ret_below, struct err *e);

#endif
