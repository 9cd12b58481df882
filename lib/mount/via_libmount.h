/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_VIA_LIBMOUNT_H
#define MOUNT_VIA_LIBMOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "../base/err.h"

/*
 * libmount is loaded on first use: linked, it would cost every command 0.3 ms at start, and
 * Debian has no static archive of it. All functions return -ELIBACC if it is missing. libmount is
 * not loaded after sys_setns() and the like (base/sys.h).
 */

/* A line of mountinfo, unescaped; missing strings are "". */
struct lm_mount {
	int id, parent;
	dev_t dev;
	const char *root, *target, *type, *source;
	const char *vfs_options, *fs_options; /* "rw,relatime,idmapped", "rw,lowerdir=..." */
	unsigned long propagation;            /* MS_SHARED, MS_SLAVE ... of mount(2) */
};

/*
 * Call fn for each line of a process's mountinfo until fn returns other than 0. Returns that, 0 or
 * -errno. proc: the process's directory in /proc (an O_PATH descriptor suffices). -ESTALE: the
 * process is no longer in the mount namespace with the inode ns.
 */
MUST_CHECK int lm_mountinfo_of(int proc, ino_t ns, int (*fn)(const struct lm_mount *m, void *arg),
	void *arg, struct err *e);

/* Call fn likewise for each line of /proc/self/mountinfo. */
MUST_CHECK int lm_mountinfo(
	int (*fn)(const struct lm_mount *m, void *arg), void *arg, struct err *e);

/* A line of an fstab, unescaped; missing strings are "". */
struct lm_line {
	const char *source, *target, *type, *options;
	unsigned number; /* counted from 1; 0: unknown, as in a directory of such files */
	bool idmap;      /* the options contain X-mount.idmap= */
	bool map;        /* map= with a map of this program */
};

/* A line of an fstab that libmount cannot parse. */
struct lm_bad {
	const char *file; /* in a directory of fstabs, the file's name; else NULL */
	unsigned line;    /* counted from 1 */
	const char *text; /* NULL: unknown, as for a pipe */
	size_t len;
};

/*
 * Call fn for each line of path, a file like /etc/fstab or a directory of such files, until fn
 * returns other than 0. Returns that, 0 or -errno. Lines that cannot be parsed are skipped, as by
 * mount(8); bad, which may be NULL, is called for each of them first, and stops the reading if it
 * returns other than 0.
 */
MUST_CHECK int lm_fstab(const char *path, int (*bad)(const struct lm_bad *b, void *arg),
	int (*fn)(const struct lm_line *l, void *arg), void *arg, struct err *e);

/* As lm_fstab(), and get what fstat(2) says of the file that was read. */
struct stat;
MUST_CHECK int lm_fstab_stat(const char *path, int (*bad)(const struct lm_bad *b, void *arg),
	int (*fn)(const struct lm_line *l, void *arg), void *arg, struct stat *ret, struct err *e);

/*
 * The path of the fstab that mount(8) reads: LIBMOUNT_FSTAB, which its helpers have in their
 * environment, too, or the default.
 */
MUST_CHECK int lm_fstab_path(const char **ret, struct err *e);

#endif
