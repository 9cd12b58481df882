/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_MTREE_H
#define TAR_MTREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"

/* One entry of an mtree(5) specification. Its strings are valid during the callback only. */
struct mtree_entry {
	const char *path; /* relative, without a leading "./" or "/"; "" is the root; any bytes but
	                     NUL */
	bool has_type, has_uid, has_gid, has_mode, has_size, has_time, has_rdev;
	mode_t type; /* the S_IFMT bits */
	mode_t mode; /* 07777 bits */
	uint32_t uid, gid;
	uint64_t size; /* bytes */
	int64_t sec;
	long nsec;
	dev_t rdev;
	const char *link; /* target of a symbolic link, or NULL */
};

/* The largest specification that is written or read, in bytes. */
#define MTREE_SIZE_MAX ((uint64_t)2 << 30)

/* The keywords to read; other keywords are ignored. */
enum mtree_want { MTREE_ALL, MTREE_OWNER /* type, mode, uid, gid, device */ };

struct mtree_input {
	int fd;           /* read from its position on; owned by the caller */
	const char *name; /* for messages */
	enum mtree_want want;
	unsigned threads; /* the largest number of threads, including the caller's; at least 1 */
};

/*
 * Receives one entry. Returns 0 to continue; any other result ends mtree_read(), which returns it.
 */
typedef int mtree_receive(const struct mtree_entry *entry, void *arg);

/*
 * Read a specification through libarchive; the dialects of libarchive (this program's and
 * bsdtar's), NetBSD's mtree and go-mtree are understood. fn receives the entries in order, one at a
 * time, on any of the threads. Memory use is the longest line and about 1 MiB for each thread.
 * Returns 0, what fn returned, or -errno with e filled (-EBADMSG: not a valid specification;
 * -EFBIG: it is too large).
 */
MUST_CHECK int mtree_read(
	const struct mtree_input *input, mtree_receive *fn, void *arg, struct err *e);

#endif
