/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_USERNS_H
#define IDMAP_USERNS_H

#include <stddef.h>
#include <sys/types.h>

#include "../base/err.h"
#include "idmap.h"

/*
 * Get a user namespace for MOUNT_ATTR_IDMAP that has the map m. Each distinct map gets one
 * namespace, which a cache of the process owns until userns_cache_done(). Its map is read back and
 * compared. Maps of more than the caller's own id require CAP_SETUID and CAP_SETGID over the
 * caller's user namespace. Errors are those of clone(2) (ENOSPC: user.max_user_namespaces) and of
 * writing uid_map (EPERM). Not for several threads at once.
 */
MUST_CHECK int userns_get(const struct idmap *m, int *ret_fd, struct err *e);

/*
 * Compute the map that a new namespace can have: in the initial user namespace the same map; in
 * another one, where fewer ids exist, the identity of a kind becomes the identity of the existing
 * ids, and all other seen ids must exist (-EPERM, with those that do not). userns_get() does this
 * with its map, so compare what a mount shows with the result. Reads /proc/self/uid_map and
 * gid_map.
 */
MUST_CHECK int userns_fit(const struct idmap *m, struct idmap *ret, struct err *e);

/*
 * Write the map of the user namespace of another process, which has created it from the caller's
 * namespace, is a child or the parent of the caller, and has no map yet. Without CAP_SETUID and
 * CAP_SETGID over the caller's namespace, this requires newuidmap(1) and newgidmap(1) (newidmap.h),
 * except for a map of the caller's own ids. The map is read back and compared.
 */
MUST_CHECK int userns_write_map(pid_t pid, const struct idmap *m, struct err *e);

/* Return the number of namespaces that were created, for log messages and tests. */
size_t userns_made(void);

/* Close all namespaces of the cache. Descriptors from userns_get() become invalid. */
void userns_cache_done(void);

/*
 * Read the map of the caller's user namespace: disk ids are the ids inside it, seen ids those of
 * the namespace that it was created from.
 */
MUST_CHECK int userns_map_own(struct idmap *ret, struct err *e);

/* Add to an error why the kernel lets the caller create no user namespace: EPERM. */
void userns_explain_eperm(struct err *e);

/*
 * Open the user namespace of a process; the caller closes it. -ENOENT: there is no such process, or
 * /proc is not mounted; -EACCES: the caller may not inspect the process.
 */
MUST_CHECK int userns_open_pid(pid_t pid, int *ret_fd, struct err *e);

/*
 * Read the map of an existing namespace: disk ids are the ids inside it, seen ids those of the
 * caller's namespace. -EINVAL: it is the caller's own namespace, or not a user namespace; -ENODATA:
 * it has no map yet, or one with ids that do not exist in the caller's namespace. By descriptor or
 * by path (a file of nsfs; links are followed) this requires CAP_SYS_ADMIN in that namespace
 * (-EPERM), by pid nothing.
 */
MUST_CHECK int userns_map_of_pid(pid_t pid, struct idmap *ret, struct err *e);
MUST_CHECK int userns_map_of_fd(int fd, struct idmap *ret, struct err *e);
MUST_CHECK int userns_map_of_path(const char *path, struct idmap *ret, struct err *e);

#endif
