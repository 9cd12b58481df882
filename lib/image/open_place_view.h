/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_OPEN_PLACE_VIEW_H
#define IMAGE_OPEN_PLACE_VIEW_H

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../store/store_view.h"
#include "open_place.h"

/*
 * Find a file of a stored image that would give rights to other users in x. Files that upper layers
 * hide do not count; the result is the first such file of the topmost layer that has any. Sets *ret
 * and appends the file's path to ret_path; *ret is EXPOSED_NOTHING if there is no such file.
 * Returns 0 or -errno with e filled.
 */
MUST_CHECK int open_place_find(const struct store_view *v, const struct open_place *x,
	enum exposed *ret, struct buf *ret_path, struct err *e);

#endif
