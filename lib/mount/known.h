/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_KNOWN_H
#define MOUNT_KNOWN_H

#include "apply.h"

/*
 * Let later commands know what was mounted: keep a record of what the kernel does not show
 * (record_store.h), and put the map into the user options of mount(8) and findmnt(8) (utab.h). The
 * mount itself is right without either, so failures are warnings.
 */
void known_add(const struct mount_plan *p, const struct mount_result *r);

/*
 * The mount at path, which the caller has just unmounted, is gone. i: what was known of it. below:
 * all that was mounted below it is gone, too.
 */
void known_remove(const char *path, const struct mount_info *i, bool below);

/* Write what was noted about several mounts. Call it after the last one. */
void known_write(void);

#endif
