/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_OVERRIDE_STAT_H
#define IDMAP_OVERRIDE_STAT_H

#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"

/*
 * The owner that a file should have had, where the one who made it had no right to that id:
 * containers/storage, fuse-overlayfs and libkrun keep it in this attribute of a regular file or
 * directory, and go by it. The kernel does not know it.
 */
#define RECORD_XATTR "user.containers.override_stat"

enum { RECORD_MAX = 64 }; /* bytes of a value, the longest possible included */

struct record {
	uint32_t uid, gid; /* in the ids that the tool's containers see */
	uint32_t mode;     /* twelve bits */
	char type[32]; /* "file", "dir", "symlink", "pipe", "socket", "block-8-0", "char-1-3"; ""
	                  when it does not say */
};

/*
 * Read a value of len bytes: UID:GID:MODE, or UID:GID:MODE:TYPE, the mode in octal, with the bits
 * of the file type or without. Returns 0, or -EINVAL for anything else.
 */
MUST_CHECK int record_parse(const char *text, size_t len, struct record *ret);

#endif
