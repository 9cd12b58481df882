/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_NEWFS_H
#define MOUNT_NEWFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"
#include "options.h"

/* A filesystem that is to be mounted. */
struct fs_how {
	const char *type, *source; /* as the kernel takes them: "ext4", "/dev/loop0" */
	const char *name;          /* for messages */
	bool device;               /* source is one */
	bool read_only;            /* the filesystem itself, not only the mount */
	bool ro_wanted;            /* read-only was asked for, not only found to be so */
	const struct fs_option *options;
	size_t n_options;
};

/*
 * Mount it, detached: nobody sees it, and when *ret_mnt is closed it is gone. A device that is
 * mounted elsewhere shares that filesystem; that options for it then have no effect is warned of.
 * ret_read_only: the filesystem itself was asked to be read-only, and not only the mount, as where
 * it is writable elsewhere. What the kernel says of a failure is in e. Needs CAP_SYS_ADMIN in the
 * user namespace, and for devices in the initial one.
 */
int fs_mount(const struct fs_how *how, int *ret_mnt, bool *ret_read_only, struct err *e);

/*
 * A clone, detached as well, of the directory dir below the root of a detached mount: no symbolic
 * link on the way is followed. It has the mount's map and flags.
 */
int fs_clone_subdir(int mnt, const char *dir, const char *name, int *ret_tree, struct err *e);

/*
 * Make a tmpfs, detached, whose root directory has mode 0700 and belongs to the caller. bytes: its
 * size limit, 0 for the kernel's default.
 */
int newfs_tmpfs(uint64_t bytes, int *ret_mnt, struct err *e);

#endif
