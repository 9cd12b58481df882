/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_VIA_LIBBLKID_H
#define MOUNT_VIA_LIBBLKID_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"

/* libblkid: what is on a device or in a file, and which device is meant. */

/* What was found: a filesystem or something else. */
struct blk_found {
	char type[64]; /* "ext4", as libblkid names it */
	char uuid[64]; /* "" where there is none */
	bool damaged;  /* its superblock's checksum is wrong */
};

/*
 * Which filesystem begins at offset of fd, a file or a device, and has at most size bytes? Nothing
 * is guessed: what is no filesystem (swap space, a member of a RAID, encrypted data), several
 * signatures at once, a table of partitions or nothing at all is -EINVAL or -ENODATA with e telling
 * what was found and what to do. name: for messages; file: it is a file, not a device.
 */
int blk_probe(int fd, const char *name, uint64_t offset, uint64_t size, bool file,
	struct blk_found *ret, struct err *e);

/* Is this word a tag: UUID=, LABEL=, PARTUUID= or PARTLABEL=? */
bool blk_is_tag(const char *source);

/*
 * The device with this tag, by udev's links or else by looking at all devices; ret is the caller's
 * to free. -ENOENT: there is none. -EEXIST: several devices have it, but for those of one btrfs.
 */
int blk_find(const char *tag, char **ret, struct err *e);

#endif
