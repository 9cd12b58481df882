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
struct tarcheck;

/* One entry as its headers say. */
struct tarfact {
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
typedef int tarcheck_count(void *arg, uint64_t n, const char *on, struct err *e);

/* count: may be NULL. What it returns below 0 ends the reading. */
int tarcheck_new(tarcheck_count *count, void *arg, struct tarcheck **ret, struct err *e);
void tarcheck_free(struct tarcheck *t);

/*
 * The next n bytes of the stream; pieces may be cut anywhere. Returns 0 or -EBADMSG with e filled.
 */
int tarcheck_feed(struct tarcheck *t, const void *p, size_t n, struct err *e);

/* Are the next n bytes all body or padding? Then they can be passed over without being seen. */
bool tarcheck_may_skip(const struct tarcheck *t, uint64_t n);
void tarcheck_skip(struct tarcheck *t, uint64_t n);

/* The stream has ended: not in the middle of something? */
int tarcheck_end(struct tarcheck *t, struct err *e);

/* The next entry seen and not yet asked for, in order. False when there is none. */
bool tarcheck_next(struct tarcheck *t, struct tarfact *ret);

/*
 * Filesystems and images of disks begin with zeros, which would be an archive without entries. Was
 * it such a one: no entry, and something else behind the zeros? *ret_more: not yet, and more should
 * be fed to find out.
 */
bool tarcheck_no_archive(const struct tarcheck *t, bool *ret_more);

/*
 * What the last header that was seen calls its entry, for messages; "" before the first. Valid
 * until more is fed.
 */
const char *tarcheck_name(const struct tarcheck *t);

/* Was no byte fed at all? */
bool tarcheck_empty(const struct tarcheck *t);

#endif
