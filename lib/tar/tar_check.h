/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_TAR_CHECK_H
#define TAR_TAR_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"

/*
 * A strict look at a tar stream (ustar, pax, GNU and V7; POSIX.1 pax, "ustar Interchange Format")
 * on its way to libarchive, whose reader takes an id of "0x10", a length past the end or two
 * headers that contradict each other as something. Everything that two readers could read in two
 * ways is refused here; and what libarchive then makes of each entry can be compared with what was
 * seen.
 */
struct tar_check;

/* One entry as its headers say. */
struct tar_fact {
	uint64_t start; /* where in the stream its first header begins */
	uint64_t size;  /* of the body that follows the headers, in bytes */
	uint64_t body;  /* where in the stream that begins, unless a map of holes comes first */
	uint32_t uid, gid;
	uint32_t mode; /* 07777 bits */
	int64_t sec;   /* rounded down, as struct timespec wants it */
	uint32_t nsec;
};

/*
 * Called for the body of each entry (and of each extension header) before it comes, with its size
 * and the entry's name.
 */
typedef int tar_check_count(void *arg, uint64_t n, const char *on, struct err *e);

/* count: may be NULL. What it returns below 0 ends the reading. */
int tar_check_new(tar_check_count *count, void *arg, struct tar_check **ret, struct err *e);
void tar_check_free(struct tar_check *t);

/*
 * The next n bytes of the stream; pieces may be cut anywhere. Returns 0 or -EBADMSG with e filled.
 */
int tar_check_feed(struct tar_check *t, const void *p, size_t n, struct err *e);

/* Are the next n bytes all body or padding? Then they can be passed over without being seen. */
bool tar_check_may_skip(const struct tar_check *t, uint64_t n);
void tar_check_skip(struct tar_check *t, uint64_t n);

/* The stream has ended: not in the middle of something? */
int tar_check_end(struct tar_check *t, struct err *e);

/* The next entry seen and not yet asked for, in order. False when there is none. */
bool tar_check_next(struct tar_check *t, struct tar_fact *ret);

/*
 * Filesystems and images of disks begin with zeros, which would be an archive without entries. Was
 * it such a one: no entry, and something else behind the zeros? *ret_more: not yet, and more should
 * be fed to find out.
 */
bool tar_check_no_archive(const struct tar_check *t, bool *ret_more);

/*
 * What the last header that was seen calls its entry, for messages; "" before the first. Valid
 * until more is fed.
 */
const char *tar_check_name(const struct tar_check *t);

/* Was no byte fed at all? */
bool tar_check_empty(const struct tar_check *t);

#endif
