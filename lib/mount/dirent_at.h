/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_DIRENT_AT_H
#define MOUNT_DIRENT_AT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "../base/err.h"
#include "../base/path.h"

/*
 * Find the directory that holds path's last component, and that component's name. The last
 * component is not followed, even with trailing slashes. use: what the root directory cannot do,
 * for the error ("be unmounted"). Errors: those of path_find(), and -EINVAL for a path that does
 * not end in a name ("/", ".", "..").
 */
MUST_CHECK int dirent_at_open(const char *path, const char *use, struct place *ret, struct err *e);

#endif
