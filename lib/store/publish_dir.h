/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_PUBLISH_DIR_H
#define STORE_PUBLISH_DIR_H

#include <stdbool.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "../base/err.h"

/*
 * The name under which a directory is to appear, in a parent that exists. The path is resolved once
 * (base/path.h says which symbolic links are followed).
 */
struct publish_dir {
	char *path, *parent_path; /* absolute, without links; for messages, never opened */
	const char *name;         /* in parent; points into path */
	int parent;               /* O_RDONLY */
	struct stat there;        /* of what exists under the name; st_ino 0: nothing does */
	bool replace;             /* what exists may be replaced */
};

/*
 * Resolve the path dir. If something exists there, it must be an empty directory that can be
 * renamed over or, with replace, any directory without mounts in it. A mount point and the caller's
 * working directory are refused. Free *ret with publish_dir_done(). Errors name dir: -ENOTEMPTY,
 * -ENOTDIR, -EBUSY, -EXDEV (the root of a filesystem or subvolume), -ENOENT (the parent does not
 * exist).
 */
MUST_CHECK int publish_dir_find(
	const char *dir, bool replace, struct publish_dir *ret, struct err *e);

/*
 * Rename dirfd/name, which is on the same filesystem, to the place in one step, and check the
 * result. What was replaced is then dirfd/name, for the caller to remove. If it is not the
 * directory that publish_dir_find() saw, the exchange is undone (-ESTALE).
 */
MUST_CHECK int publish_dir_rename(
	const struct publish_dir *p, int dirfd, const char *name, struct err *e);

void publish_dir_done(struct publish_dir *p);

#endif
