/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_ROOTLESS_MAP_H
#define IDMAP_ROOTLESS_MAP_H

#include "idmap.h"
#include "subid.h"

/*
 * Compute the ranges of the user namespace that podman makes for a user: 0 is the user's own id,
 * and 1 and on are the grants in the order of their ids (containers/storage, pkg/idtools,
 * createIDMap()), not in that of the file. ret has room for IDMAP_EXTENTS_MAX ranges; those beyond
 * are dropped. Returns their number.
 */
size_t rootless_ranges(uint32_t own, const struct grants *g, struct idrange *ret);

/*
 * Express a map in the ids of that namespace, as podman's --uidmap and --gidmap do: the disk ids
 * are those of a container, and the seen ids those of the user's namespace. The grants are those of
 * the user. Returns -ENODATA if an id of the map is not one of the user's, so that podman cannot
 * have this map; -E2BIG if it has too many extents; -ERANGE, -EINVAL or -ENOMEM. Only -ENOMEM and
 * faults of the grants are described.
 */
MUST_CHECK int rootless_relative(const struct idmap *map, const struct user *user,
	const struct grants *uid, const struct grants *gid, struct idmap *ret, struct err *e);

/*
 * Is this relative map that of podman run without --userns? Each id is mapped to itself, and none
 * of those that the user has is missing.
 */
bool rootless_is_plain(
	const struct idmap *relative, const struct grants *uid, const struct grants *gid);

#endif
