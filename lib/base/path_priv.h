/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_PATH_PRIV_H
#define BASE_PATH_PRIV_H

#include <sys/stat.h>

#include "path.h"
#include "sys.h"

/*
 * May the link name in dir be followed, by the rule of path.h? link: the result of stat(2) on it.
 * path: the path of the caller, for the message. Returns -ELOOP with e->op "link" if not.
 */
MUST_CHECK int path_link_check(
	int dir, const struct stat *link, const char *name, const char *path, struct err *e);

/*
 * Is name in dir a link of /proc to an open file (/proc/PID/fd/N, cwd, root, exe, ns)? The text of
 * such a link is not a path.
 */
bool path_link_is_magic(int dir, const char *name);

#endif
