/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_VIA_LIBMOUNT_H
#define MOUNT_VIA_LIBMOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "../base/err.h"

/*
 * libmount, loaded on first use: linked, it would cost every command 0.3 ms at start, and Debian
 * has no static archive of it. All functions here return -ELIBACC when it is not there. It is not
 * loaded after sys_setns() and the like (base/sys.h).
 */

/* One line of a mountinfo, unescaped; "" where there is nothing. */
struct lm_mount {
	int id, parent;
	dev_t dev;
	const char *root, *target, *type, *source;
	const char *vfs_options, *fs_options; /* "rw,relatime,idmapped", "rw,lowerdir=..." */
	unsigned long propagation;            /* MS_SHARED, MS_SLAVE ... as mount(2) has them */
};

/*
 * Calls fn for each line of the mountinfo of a process (proc: its directory in /proc, O_PATH will
 * do) until it returns something else than 0, which is then returned. -ESTALE: the process is not
 * in the mount namespace of this inode any more.
 */
int lm_mountinfo_of(int proc, ino_t ns, int (*fn)(const struct lm_mount *m, void *arg), void *arg,
	struct err *e);

/* The same for /proc/self/mountinfo. */
int lm_mountinfo(int (*fn)(const struct lm_mount *m, void *arg), void *arg, struct err *e);

/* One line of an fstab, unescaped; "" where there is nothing. */
struct lm_line {
	const char *source, *target, *type, *options;
	bool idmap; /* X-mount.idmap= is among the options */
};

/*
 * Calls fn for each line of path (a file like /etc/fstab, or a directory of such) until it returns
 * something else than 0, which is then returned. -EINVAL: a line that cannot be read, by its
 * number; with skip_bad it is passed over, as by mount(8).
 */
int lm_fstab(const char *path, bool skip_bad, int (*fn)(const struct lm_line *l, void *arg),
	void *arg, struct err *e);

/*
 * The fstab that mount(8) reads, of which LIBMOUNT_FSTAB tells: its helpers have the same
 * environment.
 */
int lm_fstab_path(const char **ret, struct err *e);

#endif
