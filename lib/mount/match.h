/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_MATCH_H
#define MOUNT_MATCH_H

#include "../base/err.h"
#include "info.h"
#include "plan.h"

/*
 * Is what a plan says there already? Looked at is the mount on top of the target. It is the plan's
 * when it shows the same directory or file (a bind), is an overlay of the same source (a stack), or
 * shows the same directory of the filesystem on the same device or in the same part of the same
 * file. Options for a filesystem's driver are not compared.
 *
 * Returns 1 when map and flags are the plan's too (ret_id: its id, as in mountinfo), 0 when
 * something else or nothing is mounted there. -EEXIST: another map or other flags, and e shows
 * both. How a mount propagates is not compared: that is often changed later, for many mounts at
 * once. The map of a stack is judged by the owner of its root, and so is that of a bind before
 * Linux 6.15; that of a filesystem is then not known.
 */
int plan_is_mounted(
	const struct mount_plan *p, struct mount_snapshot *s, int *ret_id, struct err *e);

/*
 * The same for who wants it unmounted: 1 when the plan's source is mounted there, with any flags
 * and, where the plan has a map, any map. Else 0.
 */
int plan_source_is_mounted(
	const struct mount_plan *p, struct mount_snapshot *s, int *ret_id, struct err *e);

#endif
