/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_IMAGE_ARCHIVE_COPY_H
#define SOURCE_IMAGE_ARCHIVE_COPY_H

#include <stdint.h>

#include "../base/err.h"

/*
 * Set *ret_fd, which the caller closes, to a regular file with the uncompressed archive: a
 * duplicate of fd if fd is one, else an unlinked copy in $TMPDIR or /var/tmp. Returns 0 or -errno
 * with e filled (-EFBIG: the copy would have more than max_bytes bytes).
 */
MUST_CHECK int image_archive_copy(int fd, uint64_t max_bytes, int *ret_fd, struct err *e);

#endif
