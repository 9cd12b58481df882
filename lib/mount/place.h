/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_PLACE_H
#define MOUNT_PLACE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "../base/err.h"
#include "../base/path.h"

/*
 * The place of a path, whose last component is not followed. -EINVAL: it does not end in a name of
 * its own ("/", ".", "..").
 */
int place_open(const char *path, struct place *ret, struct err *e);

/* The closest directory above two places within one mount, and the names of both below it. */
struct base {
	int fd;
	char *first, *second;
};

#define BASE_INIT ((struct base){ .fd = -1 })

/* -EXDEV: they are on different mounts. Free with base_done(). */
int base_find(
	const struct place *first, const struct place *second, struct base *ret, struct err *e);

void base_done(struct base *b);

#define scoped_base __attribute__((cleanup(base_done)))

/*
 * Open rel below mnt (O_PATH), which must be the same directory as original: -ESTALE when it was
 * moved meanwhile. No symbolic link is followed. path: for messages.
 */
int base_open(int mnt, const char *rel, int original, const char *path, int *ret_fd, struct err *e);

bool same_file(const struct stat *a, const struct stat *b);

#endif
