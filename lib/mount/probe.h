/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_PROBE_H
#define MOUNT_PROBE_H

#include "../base/err.h"
#include "flags.h"

/*
 * Why did it fail? Asked after a failure that e describes already; adds e's why and hint where a
 * cause is found, and nothing where none is. Causes are found by trying on scratch clones; the
 * table of filesystems only explains what was found. None of these changes anything, and e may be
 * NULL.
 */

/* open_tree(2) refused to clone the mount of fd. */
void probe_clone(int fd, struct err *e);

/*
 * mount_setattr(2) or open_tree_attr(2) refused the map of userns (or, with -1, to drop one) on a
 * clone of fd's mount, in one call with flags.
 */
void probe_idmap(int fd, int userns, const struct mount_flags *flags, struct err *e);

/*
 * The same of a detached mount of a filesystem of this type that was just made, and which will not
 * be used.
 */
void probe_new(
	int mnt, const char *type, int userns, const struct mount_flags *flags, struct err *e);

/*
 * Creating something in dirfd failed: -EOVERFLOW means that its owner has no id on the disk there.
 */
void probe_create(int dirfd, struct err *e);

/* mount_setattr(2) refused the flags alone. */
void probe_flags(int fd, const struct mount_flags *flags, struct err *e);

/* What is known of a type of filesystem without a trial. Only for explanations. */
struct probe_known {
	const char *type;
	char since[16];  /* the Linux since when it can be ID-mapped, "5.12"; "" where none can so
	                    far */
	const char *why; /* under which conditions, or why not; NULL: none */
};

/* The i-th known type; false after the last. */
bool probe_known_get(size_t i, struct probe_known *ret);

/* That of a filesystem's type ("fuse" for "fuse.sshfs"); false when nothing is known. */
bool probe_known_find(const char *type, struct probe_known *ret);

/*
 * Does the running kernel's release say at least this version? Distributions backport: only for
 * explanations.
 */
bool probe_kernel_at_least(unsigned major, unsigned minor);

#endif
