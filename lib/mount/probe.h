/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_PROBE_H
#define MOUNT_PROBE_H

#include "../base/err.h"
#include "flags.h"

/*
 * Find the cause of a failure that e describes already, and set why and hint of e if one is found.
 * Causes are found by trying the call on scratch clones; the table of filesystems only explains
 * what was found. Nothing is changed. The argument e may be NULL.
 */

/* open_tree(2) failed to clone the mount of fd; maps: the clone was to get a map. */
void probe_clone(int fd, bool maps, struct err *e);

/*
 * mount_setattr(2) or open_tree_attr(2) failed to set the map of userns (-1: to drop the map)
 * together with flags, on a clone of fd's mount.
 */
void probe_idmap(int fd, int userns, const struct mount_flags *flags, struct err *e);

/*
 * mount_setattr(2) failed to set the map of userns (-1: none) and flags on mnt, a detached mount of
 * a new filesystem of this type. The caller must not use mnt afterwards.
 */
void probe_new(
	int mnt, const char *type, int userns, const struct mount_flags *flags, struct err *e);

/*
 * A filesystem of this type was to be mounted with a map: if no kernel can map it, say so in place
 * of what e says.
 */
void probe_unmappable(const char *type, struct err *e);

/* Creating a file in dirfd failed. -EOVERFLOW: its owner has no disk id there. */
void probe_create(int dirfd, struct err *e);

/* mount_setattr(2) failed to set the flags, without a map. */
void probe_flags(int fd, const struct mount_flags *flags, struct err *e);

/* What is documented about a filesystem. Only for explanations. */
struct probe_known {
	const char *type;
	char since[16];  /* the Linux release that can ID-map it, "5.12"; "": none so far */
	const char *why; /* under which conditions, or why not; NULL: no remark */
};

/* Get the i-th entry; false after the last. */
bool probe_known_get(size_t i, struct probe_known *ret);

/* Get the entry of a type ("fuse" for "fuse.sshfs"); false if there is none. */
bool probe_known_find(const char *type, struct probe_known *ret);

/*
 * Does the running kernel's release claim at least this version? Distributions backport features:
 * use it only for explanations.
 */
bool probe_kernel_at_least(unsigned major, unsigned minor);

#endif
