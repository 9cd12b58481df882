/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UNIT_MTREE_SHOW_H
#define UNIT_MTREE_SHOW_H

#include "../../lib/tar/mtree.h"

/*
 * An mtree_receive: append a line to arg, a struct buf, with everything that the specification says
 * about an entry.
 */
int mtree_show(const struct mtree_entry *s, void *arg);

#endif
