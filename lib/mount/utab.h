/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_UTAB_H
#define MOUNT_UTAB_H

#include <stdbool.h>

#include "../base/err.h"
#include "info.h"

/*
 * libmount's table of mount options that the kernel does not know, /run/mount/utab, from which
 * mount(8) and findmnt(8) --mtab show the user options of a mount. Changes are collected and
 * written at once: libmount itself would rewrite the whole file for each mount, and would wait for
 * its lock, which every user can hold forever, without a limit. The functions do nothing where the
 * caller cannot write the table. Not for several threads at once.
 */

/* Note that the mount i was made, with these options. A failed allocation is kept for the end. */
void utab_note_mount(const struct mount_info *i, const char *options);

/*
 * Note that a mount of path was unmounted. i: what was known of it; if it has no source, the path
 * decides. below: everything below it was unmounted, too.
 */
void utab_note_umount(const char *path, const struct mount_info *i, bool below);

/* Write the changes. Returns 0, or -errno with e filled, -EBUSY if the table stays locked. */
MUST_CHECK int utab_write(struct err *e);

#endif
