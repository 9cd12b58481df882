/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_UMOUNT_H
#define MOUNT_UMOUNT_H

#include <stdbool.h>

#include "../base/err.h"
#include "../base/vec.h"

enum umount_how {
	UMOUNT_PLAIN, /* it, if nobody uses it */
	UMOUNT_TREE,  /* what is mounted below it first, innermost first; what is unmounted stays so
	                 when one is busy */
	UMOUNT_DETACH, /* it goes from sight with all below, whoever uses it */
};

/*
 * Unmount what is mounted on target, which is looked up once; a symbolic link in its last component
 * is not followed. -EINVAL: nothing is mounted there. -EBUSY: e says who holds it, as far as /proc
 * shows.
 */
int umount_target(const char *target, enum umount_how how, struct err *e);

/*
 * The same, but only of the mount with this id, as in mountinfo: -EAGAIN when another one is there.
 * follow: the last component may be a link that path.h follows.
 */
int umount_id(const char *target, bool follow, int id, enum umount_how how, struct err *e);

/*
 * Only look whether something is mounted there, and (unless ret_below is NULL) what below it, in
 * the order of UMOUNT_TREE.
 */
int umount_check(const char *target, struct strv *ret_below, struct err *e);

#endif
