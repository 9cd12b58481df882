/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_MARKS_H
#define LAYER_LAYER_MARKS_H

#include <stdint.h>

#include "../base/err.h"

/*
 * Marks of opaque directories. Mounts of root read trusted.overlay.opaque; mounts in a user
 * namespace, and those with userxattr, read user.overlay.opaque. What a mark hides is seen again
 * where it is not read. Layers that this program unpacks have whiteouts instead (layer_hide.h);
 * those of its older versions, and of podman, have marks.
 */
struct layer_marks {
	uint64_t trusted; /* directories with trusted.overlay.opaque; 0 if it cannot be read */
	uint64_t user;    /* directories with user.overlay.opaque */
	uint64_t trusted_alone, user_alone; /* directories with one of them */
	uint64_t dirs;                      /* all directories */
};

/*
 * Can this process read trusted.overlay.opaque? That takes CAP_SYS_ADMIN in the initial user
 * namespace (fs/xattr.c, xattr_permission()).
 */
bool layer_marks_are_readable(void);

/*
 * Count the marks of the layer at fd (a directory, O_PATH or O_RDONLY), which other users may
 * change meanwhile. Adds to *ret. Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_count_marks(int fd, struct layer_marks *ret, struct err *e);

#endif
