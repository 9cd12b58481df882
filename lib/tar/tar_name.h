/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_TAR_NAME_H
#define TAR_TAR_NAME_H

#include "../base/buf.h"
#include "../base/err.h"

/*
 * Append the normal form of a name from an archive to ret: without leading, trailing or double
 * slashes and without "." components; the root is "". Returns 0 or, with e filled, -EINVAL (a
 * component is ".."), -ENAMETOOLONG (the name with its NUL exceeds PATH_MAX, or a component exceeds
 * NAME_MAX) or -ENOMEM.
 */
MUST_CHECK int tar_name_normal(const char *raw, struct buf *ret, struct err *e);

/*
 * As tar_name_normal(), but a last component that begins with mark stands for the name behind it
 * and is never created under its own: mark does not count for the two limits.
 */
MUST_CHECK int tar_name_marked(const char *raw, const char *mark, struct buf *ret, struct err *e);

/*
 * Returns -ENAMETOOLONG with e filled if text with its NUL exceeds PATH_MAX, else 0. raw is the
 * name of the entry and what describes text ("the target of the symbolic link"), both for the
 * message.
 */
MUST_CHECK int tar_name_fits(const char *raw, const char *what, const char *text, struct err *e);

#endif
