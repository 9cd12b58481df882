/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_NEWFS_H
#define MOUNT_NEWFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"
#include "options.h"

/* A filesystem that is to be mounted. Everything is borrowed. */
struct fs_how {
	const char *type, *source; /* as the kernel expects them: "ext4", "/dev/loop0" */
	const char *name;          /* for messages */
	bool device;               /* source is a device */
	bool read_only;            /* make the filesystem read-only, not only the mount */
	bool ro_wanted;            /* the user requested that */
	bool sloppy;               /* options that the driver refuses are ignored */
	const struct fs_option *options;
	size_t n_options;
};

/*
 * Mount a filesystem, detached: closing *ret_mnt unmounts it. A device that is mounted elsewhere
 * shares that filesystem; a warning is logged if options have no effect for this reason.
 * *ret_read_only: the filesystem is read-only, and not just the mount, as it is where the same
 * filesystem is mounted writable elsewhere. The kernel's messages about a failure are in e. Needs
 * CAP_SYS_ADMIN in the user namespace, and for devices in the initial one.
 */
MUST_CHECK int fs_mount(const struct fs_how *how, int *ret_mnt, bool *ret_read_only, struct err *e);

/*
 * For a dry run: does this kernel know the type, and does its driver know the options? Nothing is
 * mounted, and a device is not opened. Errors of fs_mount().
 */
MUST_CHECK int fs_trial(const struct fs_how *how, struct err *e);

/*
 * Clone the directory dir, below the root of a detached mount, with the mount's map and flags. The
 * clone is detached, too. Symbolic links are not followed.
 */
MUST_CHECK int fs_clone_subdir(
	int mnt, const char *dir, const char *name, int *ret_tree, struct err *e);

/*
 * Make a tmpfs, detached, whose root directory has mode 0700 and belongs to the caller. bytes: its
 * size limit, 0 for the kernel's default.
 */
MUST_CHECK int newfs_tmpfs(uint64_t bytes, int *ret_mnt, struct err *e);

/*
 * Make a tmpfs, detached, with the kernel's default options (its root directory has mode 1777). Use
 * it for mount points that no other process can reach: it makes no fsconfig() call but the last.
 */
MUST_CHECK int newfs_tmpfs_default(int *ret_mnt, struct err *e);

#endif
