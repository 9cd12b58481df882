/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_UMOUNT_H
#define MOUNT_UMOUNT_H

#include <stdbool.h>

#include "../base/err.h"

/*
 * Unmount what is mounted on target, which is resolved once; a symbolic link in its last component is not
 * followed. -EINVAL: nothing is mounted there. -EBUSY: e says who holds it, as far as /proc shows.
 */
int umount_target(const char *target, struct err *e);

/*
 * The same, but only of the mount with this id, as in mountinfo: -EAGAIN when another one is there. detach: it goes even
 * when it is busy.
 */
int umount_id(const char *target, int id, bool detach, struct err *e);

/* Only look whether something is mounted there. */
int umount_check(const char *target, struct err *e);

#endif
