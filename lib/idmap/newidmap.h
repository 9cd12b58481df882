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
 * Write the map of the user namespace of pid with newuidmap(1), or with newgidmap(1) for group. The
 * disk side of r is the side of the namespace. These set-uid programs allow the caller's own id and
 * the ids that subuid(5) grants to the caller; the own id is passed as a range of its own. Errors
 * have the op "newidmap": -ENOENT if the program is not installed, -EPERM if it refuses, with its
 * output.
 */
MUST_CHECK int newidmap(bool group, pid_t pid, const struct idrange *r, size_t n, struct err *e);

/*
 * Compute the map of a rootless container: 0 is the user's own id, and 1 and on are the grants in
 * their order. ret has room for IDMAP_EXTENTS_MAX ranges; those beyond are dropped. Returns their
 * number.
 */
size_t newidmap_ranges(uint32_t own, const struct grants *g, struct idrange *ret);

#endif
