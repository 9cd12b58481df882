/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MOUNT_NAMESPACE_H
#define CMD_MOUNT_NAMESPACE_H

#include <stdbool.h>

#include "../lib/base/err.h"
#include "../lib/mount/plan.h"

/*
 * mount -N NAMESPACE: mount(8) calls its helper in its own mount namespace, and tells it which one
 * to mount in.
 */

/* Remember the namespace, a path such as /proc/PID/ns/mnt; it must live as long as the process. */
void mount_namespace_set(const char *path);
bool mount_namespace_is_set(void);

/*
 * Enter the namespace that was set, if any, before p is applied. What needs files or libraries of
 * the host is done first: p's maps are made and its user namespaces exist. Then the source is
 * opened again, in the namespace. Records of mounts stay where this system looks for them; writes:
 * there will be one. -EINVAL: the path is not a mount namespace. -EPERM: it belongs to another user
 * namespace, whose owner decides what every path in it leads to.
 */
MUST_CHECK int mount_namespace_enter(struct mount_plan *p, bool writes, struct err *e);

#endif
