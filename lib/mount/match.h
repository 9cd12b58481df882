/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_MATCH_H
#define MOUNT_MATCH_H

#include "../base/err.h"
#include "info.h"
#include "plan.h"

/*
 * Is a plan mounted already? The mount on top of the target is compared. This mount is the plan's
 * if it shows the same directory or file (bind); is an overlay with the same source (stack); or
 * shows the same directory of the filesystem on the same device, or in the same part of the same
 * file. Options for a filesystem's driver are not compared.
 *
 * Returns 1 if map and flags are the plan's too (ret_id: the mount's id, as in mountinfo), 0 if
 * nothing or something else is mounted there. -EEXIST: another map, other flags or other layers,
 * with both in e. The propagation is not compared, since it is often changed later for many mounts
 * at once. The maps of a stack, and all maps before Linux 6.15, come from the record of the mount.
 * Without a record, the map of a stack and that of a bind are judged by the owner of the root; the
 * map of a filesystem is unknown.
 */
MUST_CHECK int plan_is_mounted(
	const struct mount_plan *p, struct mount_snapshot *s, int *ret_id, struct err *e);

/*
 * Before unmounting: is the plan's source mounted there, with any flags and, if the plan has a map,
 * with any map? Returns 1 (ret_id as for plan_is_mounted()), 0 or -errno.
 */
MUST_CHECK int plan_source_is_mounted(
	const struct mount_plan *p, struct mount_snapshot *s, int *ret_id, struct err *e);

#endif
