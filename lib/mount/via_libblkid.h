/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_VIA_LIBBLKID_H
#define MOUNT_VIA_LIBBLKID_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"

/* libblkid: find out what a device or a file contains, and find a device by its tag. */

/* The part of a device or file that is probed. */
struct blk_area {
	int fd;
	const char *name;      /* for messages */
	uint64_t offset, size; /* bytes */
	bool file;             /* fd is a regular file, not a device */
};

/* The superblock that was found. */
struct blk_found {
	char type[64]; /* libblkid's name: "ext4" */
	char uuid[64]; /* "" if there is none */
	bool damaged;  /* the checksum of the superblock is wrong */
};

/*
 * Probe which filesystem begins at a->offset. Nothing is guessed. -EINVAL: a is not a filesystem
 * (swap space, a RAID member, encrypted data), has several signatures or a partition table.
 * -ENODATA: nothing was found. In both cases e contains what was found and what to do about it.
 */
MUST_CHECK int blk_probe(const struct blk_area *a, struct blk_found *ret, struct err *e);

/* Is this source a tag: UUID=, LABEL=, PARTUUID= or PARTLABEL=? */
bool blk_is_tag(const char *source);

/*
 * Find the device that has this tag, by udev's links or by looking at all devices. The caller frees
 * *ret. -ENOENT: no device has it. -EEXIST: several devices have it and do not form one btrfs.
 */
MUST_CHECK int blk_find(const char *tag, char **ret, struct err *e);

#endif
