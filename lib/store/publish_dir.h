/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_PUBLISH_DIR_H
#define STORE_PUBLISH_DIR_H

#include <stdbool.h>
#include <sys/stat.h>

#include "../base/err.h"

/*
 * Where a directory is to appear: a name in a directory that exists, looked up once (path.h tells
 * which links are followed).
 */
struct publish_dir {
	char *path, *parent_path; /* absolute, without links; for messages, not to be opened */
	const char *name;         /* in parent; part of path */
	int parent;               /* O_RDONLY */
	struct stat there;        /* what was found there; st_ino 0: nothing */
	bool replace;             /* what is there may go */
};

/*
 * Find it. What is there must be an empty directory that can be renamed over or, with replace, any
 * directory without mounts in it: no mount point, and not the one we stand in. Free with
 * publish_dir_done(). Errors name dir: -ENOTEMPTY, -ENOTDIR, -EBUSY, -ENOENT (its parent must
 * exist).
 */
int publish_dir_find(const char *dir, bool replace, struct publish_dir *ret, struct err *e);

/*
 * Rename dirfd/name, on the same filesystem, to the place, at once, and see that it is there. What
 * was replaced is then dirfd/name, for the caller to remove: the directory that publish_dir_find()
 * has seen, or it is put back (-ESTALE).
 */
int publish_dir_rename(const struct publish_dir *p, int dirfd, const char *name, struct err *e);

void publish_dir_done(struct publish_dir *p);

#endif
