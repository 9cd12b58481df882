/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_PLAN_MSTACK_H
#define MOUNT_PLAN_MSTACK_H

#include <stdbool.h>

#include "plan.h"

/*
 * Does the request mean the parts of a directory NAME.mstack (mstack.h), and not the directory
 * itself? The type "mstack" says so; for a name with that suffix, so does the lack of options for
 * binds and filesystems, unless it is the name of a file or device.
 */
bool plan_mstack_is_meant(const struct mount_request *q);

/*
 * Read the directory, and plan its parts by mount_plan_build(). With root/, the plan is a bind of
 * that, else the stack; the other parts are inside it. All have the map of the plan. Such a stack
 * stores OverlayFS's metadata in user.overlay. attributes, as systemd's does: both can use the same
 * rw/. Errors: those of mstack_read() and mount_plan_build(); -EINVAL if there are no layers, and
 * for options that contradict what is in the directory (usage).
 */
MUST_CHECK int plan_mstack(struct mount_plan *ret, const struct mount_request *q, struct err *e);

#endif
