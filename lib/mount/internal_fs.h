/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_INTERNAL_FS_H
#define MOUNT_INTERNAL_FS_H

#include "../base/err.h"

/*
 * Refuse a file of a filesystem inside the kernel, to which links of /proc lead: a namespace
 * (/proc/PID/ns), a pipe, a socket. name is for messages. Returns 0, or -EINVAL or the errno of
 * fstatfs(2) with e filled.
 */
MUST_CHECK int internal_fs_refuse(int fd, const char *name, struct err *e);

#endif
