/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_BUSY_H
#define MOUNT_BUSY_H

#include "../base/err.h"

/*
 * Who keeps the mount with this id (as in mountinfo) from being unmounted? Asked after umount(2)
 * failed with EBUSY: adds e's why and hint. Looked at are the mounts on it, all processes in /proc
 * that the caller may look at, loop devices, and swap areas; where there are none, the processes of
 * other mount namespaces that a shared mount has copies in.
 */
void busy_explain(int id, struct err *e);

#endif
