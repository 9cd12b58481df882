/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_EVERYWHERE_H
#define MOUNT_EVERYWHERE_H

#include <sys/types.h>

#include "../base/err.h"
#include "info.h"

/*
 * Call fn with each mount of our mount namespace, then with those of the other processes' that we may look into, until
 * it returns something else than 0, which is then returned. pid: of a process that has the mount; 0 for ourselves. i is
 * fn's for the time of the call; of others it has no map, and its target is as the process would reach it. What cannot
 * be seen: namespaces without a process (kept by a bind mount of /proc/PID/ns/mnt, or a descriptor), those of processes
 * of others for who is not root, and mounts that no process can reach from its root.
 */
int mount_info_everywhere(int (*fn)(const struct mount_info *i, pid_t pid, void *arg), void *arg, struct err *e);

#endif
