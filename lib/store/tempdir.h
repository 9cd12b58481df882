/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_TEMPDIR_H
#define STORE_TEMPDIR_H

#include <stddef.h>

#include "../base/cleanup.h"
#include "../base/err.h"

/*
 * A private directory (mode 0700) in which things are made before they are renamed into place. A
 * mark beside it, NAME.lock (base/lock.h), ends with the process; the next process removes the
 * directories whose mark is no longer held. The parent is not locked: any user who can read a
 * directory could hold a lock on it forever.
 */
struct tempdir {
	int parent;       /* borrowed */
	const char *path; /* of parent, for messages; borrowed */
	char name[48];    /* in parent */
	int fd;           /* O_RDONLY; -1: none was made */
	int mark;         /* its lock is held; -1: the filesystem has no file locks, fd is locked */
};

#define TEMPDIR_INIT ((struct tempdir){ .fd = -1, .mark = -1 })

/*
 * Remove the caller's directories with this prefix whose process has ended, then make one; its name
 * is prefix and 16 digits. A directory that cannot be removed is logged as a warning. Nothing is
 * removed where other users could have created the directory.
 */
MUST_CHECK int tempdir_new(
	int parent, const char *path, const char *prefix, struct tempdir *ret, struct err *e);

/* Would tempdir_new() be refused by the directory? Returns 0 or its error; creates nothing. */
MUST_CHECK int tempdir_check(int parent, const char *path, struct err *e);

/* Remove the directory with its content. A failure is logged as a warning. */
void tempdir_done(struct tempdir *s);

/* Write the name of entry number i ("7", "7.mtree") into buf, which is returned. */
const char *tempdir_entry(size_t i, const char *suffix, char buf[static 32]);

#endif
