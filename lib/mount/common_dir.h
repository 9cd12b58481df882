/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_COMMON_DIR_H
#define MOUNT_COMMON_DIR_H

#include "../base/err.h"
#include "../base/path.h"

/*
 * The deepest directory that two directory entries have in common, within one mount, and the path
 * of each entry below it. Start with COMMON_DIR_INIT, free with common_dir_done().
 */
struct common_dir {
	int fd; /* O_PATH */
	char *first, *second;
};

#define COMMON_DIR_INIT ((struct common_dir){ .fd = -1 })

/*
 * Find the common directory of an upper and a work directory. The two paths are a guess, since a
 * directory can be renamed meanwhile: open them with common_dir_open(). -EXDEV: the entries are on
 * different mounts.
 */
MUST_CHECK int common_dir_find(const struct place *first, const struct place *second,
	struct common_dir *ret, struct err *e);

void common_dir_done(struct common_dir *b);

#define scoped_common_dir __attribute__((cleanup(common_dir_done)))

/*
 * Open rel, a directory below mnt (O_PATH), without following symbolic links. It must be the same
 * directory as original: -ESTALE if it was moved meanwhile. path is for messages.
 */
MUST_CHECK int common_dir_open(
	int mnt, const char *rel, int original, const char *path, int *ret_fd, struct err *e);

#endif
