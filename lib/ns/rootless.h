/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NS_ROOTLESS_H
#define NS_ROOTLESS_H

#include "../base/err.h"
#include "../idmap/idmap.h"

/*
 * Make the calling process, which must be single-threaded, root of a new user namespace with map m
 * (disk: the ids in the namespace, which must include user 0 and group 0; seen: the caller's ids).
 * Descriptors, working directory and parent stay the same. The process has all capabilities in the
 * namespace.
 *
 * more: CLONE_NEWNS and other flags of unshare(2), for further namespaces that the new one owns.
 *
 * A child outside of the namespace writes the map with userns_write_map(), which uses newuidmap(1)
 * and newgidmap(1) if the caller may not write it. These are set-user-ID programs, so the caller
 * must not have set no_new_privs; install the chown guard, which may set it, after this call.
 * Supplementary groups stay.
 *
 * Errors: op "userns" if no namespace can be created, and then nothing has changed; op "newidmap"
 * if these programs fail, and those of userns_write_map(): the process is then in a namespace
 * without a map, and can only report the error and exit. -EINVAL: the map has no user 0 or group 0.
 */
MUST_CHECK int rootless_enter(const struct idmap *m, unsigned long more, struct err *e);

#endif
