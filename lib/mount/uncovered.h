/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_UNCOVERED_H
#define MOUNT_UNCOVERED_H

#include <stdbool.h>

#include "../base/err.h"

/*
 * Open a directory (O_PATH) in a detached clone of its mount alone, which shows the directories in
 * it without what is mounted on them. Where the kernel refuses such a clone, because it would show
 * what a user namespace may not see, the directory itself is opened, and *ret_covered is true.
 * Returns 0 or -errno: -ENOENT if it does not exist. Needs CAP_SYS_ADMIN.
 */
MUST_CHECK int uncovered_open(const char *path, int *ret_fd, bool *ret_covered, struct err *e);

#endif
