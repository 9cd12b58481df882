/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_TABLE_SWALLOWED_H
#define MOUNT_TABLE_SWALLOWED_H

#include "../base/err.h"

/*
 * mount(8) does not pass options that begin with X- to its helpers. Check the options of a line of
 * type shiftbox for words that this line cannot have: X-mount.idmap, without which mount(8) would
 * mount it unmapped, and X-mount.owner and group, by which mount(8) changes the owner of the root
 * of the mount. target: for the message. -EINVAL.
 */
MUST_CHECK int table_check_own(const char *target, const char *options, struct err *e);

/*
 * Check, as table_check_own() does, the options of a line that mount(8) mounts, or of its command
 * line. These cannot have X-mount.subdir and X-mount.mode either.
 */
MUST_CHECK int table_check_swallowed(const char *target, const char *options, struct err *e);

#endif
