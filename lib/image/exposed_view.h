/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_EXPOSED_VIEW_H
#define IMAGE_EXPOSED_VIEW_H

#include "../base/buf.h"
#include "exposed.h"
#include "store_view.h"

/*
 * Find a file of a stored image that gives rights to others: the first in the topmost layer that has one which the layers above it
 * do not hide. *ret is EXPOSED_NOTHING if there is none; else its path is appended to ret_path.
 */
int exposed_in_view(const struct store_view *v, const struct exposure *x, enum exposed *ret, struct buf *ret_path, struct err *e);

#endif
