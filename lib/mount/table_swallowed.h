/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_TABLE_SWALLOWED_H
#define MOUNT_TABLE_SWALLOWED_H

#include "../base/err.h"

/*
 * mount(8) does not pass options that begin with X- to its helpers. Check that options, those of a
 * line of type shiftbox or of the command line of mount(8), do not have X-mount.idmap, without which
 * the mount has no map, nor X-mount.owner, group or mode, by which mount(8) changes the root of the
 * mount. target: for the message. -EINVAL.
 */
MUST_CHECK int table_check_swallowed(const char *target, const char *options, struct err *e);

#endif
