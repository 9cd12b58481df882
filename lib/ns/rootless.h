/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NS_ROOTLESS_H
#define NS_ROOTLESS_H

#include "../base/err.h"
#include "../idmap/idmap.h"

/*
 * Make this very process, which has one thread, root of a new user namespace with the map m: its
 * disk side is the ids of the namespace (0 must be among them, for users and for groups), its seen
 * side those that the caller has now. The process goes on as it is: descriptors, working directory,
 * parent, signals and exit status are its own. It has all capabilities, over what belongs to the
 * namespace.
 *
 * more: CLONE_NEWNS and other flags of unshare(2), for further namespaces owned by the new one.
 *
 * A child that stays behind writes the map (userns_write_map(): by itself where the caller may,
 * else with newuidmap(1) and newgidmap(1)), and ends. So the caller must not have no_new_privs, nor
 * guard_install()'s filter where that sets it; the guard belongs after this call. Supplementary
 * groups stay.
 *
 * Errors: op "userns" when there can be no namespace, "newidmap" when those programs do not do it,
 * or those of userns_write_map(). After the former nothing has changed; after the others the
 * process is in a namespace without a map, and can only tell and exit.
 */
int rootless_enter(const struct idmap *m, unsigned long more, struct err *e);

#endif
