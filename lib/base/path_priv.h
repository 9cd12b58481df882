/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_PATH_PRIV_H
#define BASE_PATH_PRIV_H

#include <sys/stat.h>

#include "path.h"
#include "sys.h"

/*
 * May the link called name in dir be followed (the rule of path.h)? link: what stat(2) tells of it.
 * path: the operator's, for the message. -ELOOP, with the step "link": no.
 */
MUST_CHECK int path_link_check(
	int dir, const struct stat *link, const char *name, const char *path, struct err *e);

/*
 * Is it a link of /proc to an open file (/proc/PID/fd/N, cwd, root, exe, ns), whose text is no
 * path?
 */
bool path_link_is_magic(int dir, const char *name);

#endif
