/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_TAR_SPLIT_H
#define TAR_TAR_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/err.h"

/*
 * What is needed to make a layer's archive again, byte for byte, from the files in its directory:
 * the lines that github.com/vbatts/tar-split writes and podman reads, compressed by gzip. A line is
 * a piece of the archive (headers, padding), or stands for the content of a file, with its name,
 * size and CRC-64. Bodies that are not the content of a file on disk (of whiteouts and sparse
 * files) are pieces, too.
 */
struct tar_split;

/*
 * Begin to write to fd, which must stay open until tar_split_end(). Returns 0 or -errno with e
 * filled. Free it with tar_split_free().
 */
MUST_CHECK int tar_split_new(int fd, struct tar_split **ret, struct err *e);

/*
 * Add the next n bytes of the archive, which may be cut into pieces anywhere. Returns 0, or -errno
 * with e filled if fd cannot be written. Bytes that tar_check refuses are not an error here.
 */
MUST_CHECK int tar_split_feed(struct tar_split *t, const void *p, size_t n, struct err *e);

/*
 * The stream has ended. Sets *ret_why to NULL, or to a static text that says why what was written
 * to fd is of no use: readers refuse an archive in which two entries have the same name. Returns 0
 * or -errno with e filled.
 */
MUST_CHECK int tar_split_end(struct tar_split *t, const char **ret_why, struct err *e);

void tar_split_free(struct tar_split *t);

#endif
