/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_INFO_ANYWHERE_H
#define MOUNT_INFO_ANYWHERE_H

#include "info.h"
#include "mntns.h"

/*
 * Get the mount that fd is on (O_PATH suffices), as mount_info_get() does, or else from the mount
 * namespaces of other processes that the caller may inspect: that of a path below /proc/PID/root.
 * ret->target is then a path from the root directory of the process ret_ns->pid. What ret contains
 * was written by the owner of that namespace, which may be any user. ret_ns is MNTNS_INIT for the
 * caller's own namespace; otherwise the caller calls mntns_done(). -ENOENT: the mount is in none of
 * them.
 */
MUST_CHECK int mount_info_anywhere(
	int fd, struct mount_info *ret, struct mntns *ret_ns, struct err *e);

/*
 * Get the mount that fd is on, which is in the namespace ns: with statmount(2), or from the
 * process's mountinfo. Returns 0 or -errno (-ENOENT: it is not there) and fills no struct err.
 */
MUST_CHECK int mount_info_there(const struct mntns *ns, int fd, struct mount_info *ret);

#endif
