/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NS_UNTRUSTED_ROOT_H
#define NS_UNTRUSTED_ROOT_H

#include <stdbool.h>

#include "../base/buf.h"
#include "../base/err.h"

/*
 * Places in a root directory whose content is not to be trusted: known by descriptor, never by
 * path. Symbolic links on the way are taken as they are meant there, relative to that root
 * (openat2(2), RESOLVE_IN_ROOT), magic ones are not taken at all.
 */

/*
 * Open path (absolute, without "." and "..") below root as a place to mount on, O_PATH. Its last
 * component is never followed: a symbolic link there is a place like any other file. What is
 * missing is created, for dir a directory of mode 0755, else an empty file, and nothing is created
 * through a link. -ENOTDIR, -EISDIR: of the other kind.
 */
int untrusted_root_place(int root, const char *path, bool dir, int *ret_fd, struct err *e);

/*
 * The content of a regular file below root, followed there, of at most max bytes. -ENOENT, or as
 * fd_read_all().
 */
int untrusted_root_read(int root, const char *path, size_t max, struct buf *ret, struct err *e);

#endif
