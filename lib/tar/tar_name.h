/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_TAR_NAME_H
#define TAR_TAR_NAME_H

#include "../base/buf.h"
#include "../base/err.h"

/*
 * Append to ret the normal form of a name from an archive: no leading, trailing or double slash and
 * no component "."; "" is the root. -EINVAL: a component is "..". -ENAMETOOLONG: the name has more
 * bytes than Linux takes (PATH_MAX, with its NUL), or a component has more than NAME_MAX. -ENOMEM.
 * e is filled.
 */
int tar_name_normal(const char *raw, struct buf *ret, struct err *e);

/*
 * -ENAMETOOLONG, with e filled, if text has more bytes than Linux takes of a path; else 0. raw is
 * the entry, and what says what the text is to it, both for the message.
 */
int tar_name_fits(const char *raw, const char *what, const char *text, struct err *e);

#endif
