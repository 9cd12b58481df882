/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_KERNEL_H
#define IDMAP_KERNEL_H

#include "draft.h"

/*
 * Add the lines "DISK SEEN COUNT" of one kind to the draft, extent by extent as the kernel has
 * them. -EINVAL: not such lines; -ENODATA: the ids exist in no namespace that we can name.
 */
MUST_CHECK int kernel_lines(const char *lines, unsigned kind, struct draft *d, struct err *e);

#endif
