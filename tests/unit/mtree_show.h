/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UNIT_MTREE_SHOW_H
#define UNIT_MTREE_SHOW_H

#include "../../lib/tar/mtree.h"

/*
 * For mtree_read(): add a line to arg, a struct buf, with all that the specification gives of an
 * entry.
 */
int mtree_show(const struct mtree_entry *s, void *arg);

#endif
