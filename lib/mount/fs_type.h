/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_FS_TYPE_H
#define MOUNT_FS_TYPE_H

#include <stdbool.h>

/*
 * Does a filesystem of this type need no device? 1: none; 0: one; -1: the kernel does not know the
 * type (yet).
 */
int fs_type_nodev(const char *type);

/* The driver for a type that libblkid has found. */
const char *fs_type_driver(const char *found);

/* Is the type one that cannot be written to? */
bool fs_type_read_only(const char *type);

/* Are both the same? ext2, ext3 and ext4 count as one type, as do vfat and msdos. */
bool fs_type_same(const char *a, const char *b);

#endif
