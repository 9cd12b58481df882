/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_INFO_ALL_H
#define MOUNT_INFO_ALL_H

#include "../base/err.h"
#include "info.h"
#include "mntns.h"

/*
 * Call fn for each mount of the caller's mount namespace, then for those of other processes'
 * namespaces that the caller may inspect, until fn returns other than 0. Returns that, 0 or -errno.
 * i and ns are valid during the call. What i contains was written by the owner of the namespace,
 * which may be any user (mntns_owner()). i NULL: the caller may read the mounts of ns, but failed
 * to. Not found are mounts of namespaces without a process (kept by a bind mount of
 * /proc/PID/ns/mnt, or a descriptor), those of other users' processes unless the caller is root,
 * and, before Linux 6.15, mounts that no process can reach from its root.
 */
MUST_CHECK int mount_info_all_namespaces(
	int (*fn)(const struct mount_info *i, const struct mntns *ns, void *arg), void *arg,
	struct err *e);

#endif
