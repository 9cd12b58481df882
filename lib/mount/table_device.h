/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_TABLE_DEVICE_H
#define MOUNT_TABLE_DEVICE_H

#include "table.h"

/*
 * Find the first line whose source is the device that word names in another way: a tag such as
 * LABEL=, a node of /dev, or the loop device over the file that is the source. NULL: there is none,
 * or word is not a device.
 */
const struct table_line *table_find_device(const struct fstab *t, const char *word);

#endif
