/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_INFO_ALL_H
#define MOUNT_INFO_ALL_H

#include "../base/err.h"
#include "info.h"
#include "mntns.h"

/*
 * Call fn with each mount of our mount namespace, then with those of the other processes' that we
 * may look into, until it returns something else than 0, which is then returned. i and ns are fn's
 * for the time of the call. What i says is what the namespace's owner wrote, who may be any user
 * (mntns_owner()). i NULL: the mounts of ns cannot be read, though the caller may. What cannot be
 * seen: namespaces without a process (kept by a bind mount of /proc/PID/ns/mnt, or a descriptor),
 * those of processes of others for who is not root, and, before Linux 6.15, mounts that no process
 * can reach from its root.
 */
int mount_info_all_namespaces(
	int (*fn)(const struct mount_info *i, const struct mntns *ns, void *arg), void *arg,
	struct err *e);

#endif
