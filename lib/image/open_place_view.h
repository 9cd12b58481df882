/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_OPEN_PLACE_VIEW_H
#define IMAGE_OPEN_PLACE_VIEW_H

#include "../base/buf.h"
#include "../store/store_view.h"
#include "open_place.h"

/*
 * Find a file of a stored image that gives rights to others: the first in the topmost layer that
 * has one which the layers above it do not hide. *ret is EXPOSED_NOTHING if there is none; else its
 * path is appended to ret_path.
 */
int open_place_find(const struct store_view *v, const struct open_place *x, enum exposed *ret,
	struct buf *ret_path, struct err *e);

#endif
