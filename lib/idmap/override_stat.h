/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_OVERRIDE_STAT_H
#define IDMAP_OVERRIDE_STAT_H

#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"

/*
 * The extended attribute in which containers/storage, fuse-overlayfs and libkrun record the owner
 * that a file should have, if the process that created it could not set that owner. These tools
 * report it; the kernel does not.
 */
#define RECORD_XATTR "user.containers.override_stat"

enum { RECORD_MAX = 64 }; /* bytes of the longest valid value */

struct record {
	uint32_t uid, gid; /* as the containers of the tool see them */
	uint32_t mode;     /* twelve bits */
	char type[32]; /* "file", "dir", "symlink", "pipe", "socket", "block-8-0", "char-1-3"; "" if
	                  not recorded */
};

/*
 * Parse a value of len bytes: UID:GID:MODE or UID:GID:MODE:TYPE, with the mode in octal, with or
 * without the bits of the file type. Returns 0 or -EINVAL.
 */
MUST_CHECK int record_parse(const char *text, size_t len, struct record *ret);

#endif
