/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_NEWIDMAP_H
#define IDMAP_NEWIDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "idmap.h"
#include "subid.h"

/*
 * Let newuidmap(1) (or newgidmap(1), group) write the map of the user namespace that pid has made.
 * disk is the namespace's side. The program, set-uid root, allows the caller's own id and what
 * subuid(5) grants it; so the caller's own id is given to it as a range of its own. Errors (op
 * "newidmap"): -ENOENT, there is no such program; -EPERM, it refused, with what it said.
 */
MUST_CHECK int newidmap(bool group, pid_t pid, const struct idrange *r, size_t n, struct err *e);

/*
 * The ranges that a rootless container has: 0 is the user's own id, 1... are the grants, one after
 * the other. Fills ret, which has room for IDMAP_EXTENTS_MAX, with as many as fit, and returns
 * their number.
 */
size_t newidmap_ranges(uint32_t own, const struct grants *g, struct idrange *ret);

#endif
