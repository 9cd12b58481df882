/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_SYNCFS_H
#define BASE_SYNCFS_H

#include "err.h"

/*
 * Write the filesystem that fd is on to disk, with syncfs(2). The call can neither be interrupted
 * nor killed, and may take minutes, so a child process makes it. Returns 0; -ECANCELED with e
 * filled if the process was asked to end (stop.h), and the child then goes on alone, without any
 * descriptor of this process but fd; or -errno with path and what in e.
 */
MUST_CHECK int syncfs_wait(int fd, const char *path, const char *what, struct err *e);

#endif
