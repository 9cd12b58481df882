/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NS_UNTRUSTED_ROOT_H
#define NS_UNTRUSTED_ROOT_H

#include <stdbool.h>

#include "../base/buf.h"
#include "../base/err.h"

/*
 * Files below a root directory whose content is not trusted. A path in a container's image may be,
 * or may become, a symbolic link to a file of the host (as in CVE-2017-1002101 and CVE-2021-30465).
 * So files are resolved once and then known by descriptor. Symbolic links resolve relative to that
 * root (openat2(2), RESOLVE_IN_ROOT); magic links are refused.
 */

/*
 * Open path (absolute, without "." and "..") below root as a mount point, O_PATH. A symbolic link
 * as the last component is not followed, and counts as a file. Missing components are created:
 * directories with mode 0755, and the last one as a directory if dir is set, otherwise as an empty
 * file; nothing is created through a symbolic link. -ENOTDIR, -EISDIR: the file is not of the kind
 * that dir says; -EEXIST: a symbolic link on the way leads nowhere. The caller closes *ret_fd.
 */
MUST_CHECK int untrusted_root_place(
	int root, const char *path, bool dir, int *ret_fd, struct err *e);

/*
 * Append the content of a regular file below root, following symbolic links, to ret. -EFBIG: it has
 * more than max bytes; -EINVAL: it is not a regular file.
 */
MUST_CHECK int untrusted_root_read(
	int root, const char *path, size_t max, struct buf *ret, struct err *e);

#endif
