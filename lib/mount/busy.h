/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_BUSY_H
#define MOUNT_BUSY_H

#include "../base/err.h"

/*
 * Find what keeps the mount with this id (mountinfo's) busy, after umount(2) failed with EBUSY, and
 * set why and hint of e. Searched are the mounts on it, the processes in /proc that the caller may
 * inspect, loop devices and swap areas; if none is found, the processes of other mount namespaces
 * that have a copy of a shared mount.
 */
void busy_explain(int id, struct err *e);

#endif
