/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_KNOWN_H
#define MOUNT_KNOWN_H

#include "apply.h"
#include "mount_record.h"

/*
 * Let later commands know what was mounted: keep a record of what the kernel does not show
 * (record_store.h), and put the map into the user options of mount(8) and findmnt(8) (utab.h). The
 * mount itself is right without either, so failures are warnings.
 *
 * others: the user options, such as "x-foo,x-bar", that mount(8) itself puts there after its helper
 * has succeeded; "" if mount(8) puts none there; NULL if the map must not be put there.
 */
void known_add(const struct mount_plan *p, const struct mount_result *r, const char *others);

/*
 * Remove the record and the options of the mount at path, which the caller has just unmounted. i:
 * what was known about it. below: everything that was mounted below it is unmounted, too.
 */
void known_remove(const char *path, const struct mount_info *i, bool below);

/* A mount and its record. Start with KNOWN_MOUNT_INIT, free with known_mount_done(). */
struct known_mount {
	struct mount_info info;
	struct mount_record record;
};

#define KNOWN_MOUNT_INIT ((struct known_mount){ .info = { .id = -1 } })

/*
 * Look up the mount on target, whose last component is not followed if it is a link. Returns false
 * if nothing is mounted there or there is no record of it.
 */
bool known_look(const char *target, struct known_mount *ret);
void known_mount_done(struct known_mount *k);

#define scoped_known_mount __attribute__((cleanup(known_mount_done)))

/*
 * Write the options that known_add() and known_remove() have collected for findmnt(8). Call it
 * after the last mount.
 */
void known_write(void);

#endif
