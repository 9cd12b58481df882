/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_INFER_MAP_H
#define CHECK_INFER_MAP_H

#include <stddef.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../idmap/idmap.h"

/*
 * Infer the map between two views of one directory from the owners of at most max files below it:
 * seen is the directory on the ID-mapped mount (readable), disk the same directory without the map
 * (O_PATH suffices). Neighbouring sampled ids with the same offset are assumed to belong to one
 * range, with all ids between them. Returns the number of files compared and sets *ret, which the
 * caller frees; 0 without setting *ret when no map follows from the files; or -errno.
 */
MUST_CHECK ssize_t infer_map(int seen, int disk, size_t max, struct idmap *ret, struct err *e);

#endif
