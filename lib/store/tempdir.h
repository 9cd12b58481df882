/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_TEMPDIR_H
#define STORE_TEMPDIR_H

#include "../base/err.h"

/*
 * A directory in which things are made before they are renamed into place: of this process alone,
 * mode 0700, with a mark beside it, NAME.lock (base/lock.h), that ends with the process. Whoever
 * comes next sweeps those whose mark nobody holds. The directory around needs no lock: who can read
 * a directory can lock it, for as long as they like.
 */
struct tempdir {
	int parent;       /* borrowed */
	const char *path; /* of parent, for messages; borrowed */
	char name[48];    /* in parent */
	int fd;           /* O_RDONLY; -1: there is none */
	int mark;         /* held; -1: the filesystem has no such locks, and fd is locked */
};

#define TEMPDIR_INIT ((struct tempdir){ .fd = -1, .mark = -1 })

/* Sweep, then make one whose name is prefix and 16 digits. */
int tempdir_new(
	int parent, const char *path, const char *prefix, struct tempdir *ret, struct err *e);

/* Remove it with all that is in it. */
void tempdir_done(struct tempdir *s);

/* The name of file or directory number i in it ("7", "7.mtree"), into buf, returned. */
const char *tempdir_entry(size_t i, const char *suffix, char buf[static 32]);

#endif
