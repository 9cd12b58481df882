/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_FS_LIMITS_H
#define MOUNT_FS_LIMITS_H

#include <stdbool.h>

#include "../base/err.h"

/*
 * What stores, trees and uppers need of the filesystem that they are on. It is tried before the
 * work that would fail for lack of it.
 */

/* Filesystems by whose type alone something is known. Every other one is FS_OTHER. */
enum fs_kind {
	FS_OTHER,
	FS_COMPLETE, /* one of the kernel's own that has all that is needed: ext4, xfs, btrfs ... */
	FS_OVERLAY,  /* cannot be ID-mapped, nor be an upper */
	FS_FUSE,     /* depends on the daemon */
};

/* The kind of the filesystem of fd (O_PATH suffices). */
enum fs_kind fs_kind_of(int fd);

/* Write its type, such as "fuse.bindfs", into buf, which is returned; "unknown" at worst. */
const char *fs_type_name(int fd, char buf[static 64]);

/*
 * Try the flags of renameat2(2) in dir, a directory of the caller's that no other process uses:
 * RENAME_NOREPLACE always, and RENAME_EXCHANGE if exchange is true. What is created for that is
 * removed. A filesystem of the kind FS_COMPLETE is not tried. path: for the message. -EINVAL: the
 * filesystem lacks a flag; other errors are those of the calls.
 */
MUST_CHECK int fs_try_rename(int dir, bool exchange, const char *path, struct err *e);

/*
 * Can a mount of the filesystem of fd be ID-mapped? It is tried with a scratch clone, unless the
 * kind is known. Returns true for a filesystem of the kind FS_COMPLETE, whatever the kernel is.
 */
bool fs_can_be_mapped(int fd);

/* Put into e that the filesystem of fd lacks flags of renameat2(2), and what to try instead. */
void fs_explain_rename(int fd, struct err *e);

#endif
