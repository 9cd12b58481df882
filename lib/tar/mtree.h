/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_MTREE_H
#define TAR_MTREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"

/* One line of an mtree(5) specification. Strings are valid during the call only. */
struct mtree_entry {
	const char *path; /* relative, no leading "./" or "/"; "" is the root; any bytes but NUL */
	bool has_type, has_uid, has_gid, has_mode, has_size, has_time, has_rdev;
	mode_t type; /* S_IFREG ... */
	mode_t mode; /* 07777 bits */
	uint32_t uid, gid;
	uint64_t size;
	int64_t sec;
	long nsec;
	dev_t rdev;
	const char *link; /* a symlink's target, or NULL */
};

/* Larger ones are neither written nor read, in bytes. */
#define MTREE_SIZE_MAX ((uint64_t)2 << 30)

/* What is to be read of each line: the rest is as if it were not there. */
enum mtree_want { MTREE_ALL, MTREE_OWNER /* type, mode, uid, gid, device */ };

/*
 * Read a specification with libarchive: ours, bsdtar's, NetBSD mtree's, go-mtree's. name is for
 * messages. fn gets the entries in their order, one at a time, from any of this many threads, of
 * which the caller's is one. It returns 0 to go on, anything else ends the reading with that
 * result. Memory: the longest line, and about 1 MiB a thread. Returns 0, what fn returned, or
 * -errno.
 */
int mtree_read(int fd, const char *name, enum mtree_want want, unsigned threads,
	int (*fn)(const struct mtree_entry *, void *), void *arg, struct err *e);

#endif
