/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_USERNS_H
#define IDMAP_USERNS_H

#include <stddef.h>
#include <sys/types.h>

#include "../base/err.h"
#include "idmap.h"

/*
 * User namespaces that only carry a map for MOUNT_ATTR_IDMAP. Made once per distinct map in a run
 * (the cache is this process's, until userns_cache_done()). The descriptor stays the cache's. The
 * map is read back from the namespace before it is used. Needs CAP_SETUID and CAP_SETGID over the
 * caller's user namespace for maps of more than the caller's own id.
 * Errors: as clone(2) (ENOSPC: user.max_user_namespaces) and writes to uid_map (EPERM).
 * Not for several threads at once.
 */
MUST_CHECK int userns_get(const struct idmap *m, int *ret_fd, struct err *e);

/*
 * The map as a namespace made here can have it: in the initial user namespace the same; inside
 * another, where fewer ids exist, the identity of a kind becomes that of the ids that exist, and
 * any other seen id must exist (-EPERM names those that do not). userns_get() does it to what it is
 * given; what a mount then shows is to be compared with this. Reads /proc/self/uid_map and gid_map.
 */
MUST_CHECK int userns_fit(const struct idmap *m, struct idmap *ret, struct err *e);

/*
 * Give the user namespace of another process its map: it was made by that process, a child of ours
 * or our parent, out of our namespace, and has none yet. Without CAP_SETUID and CAP_SETGID over our
 * namespace this takes newuidmap(1) and newgidmap(1) (newidmap.h), unless the caller's own ids are
 * the only ones. Read back.
 */
MUST_CHECK int userns_write_map(pid_t pid, const struct idmap *m, struct err *e);

/* How many were made, for -v and tests. */
size_t userns_made(void);

/* Close them all. What userns_get() gave out is gone with it. */
void userns_cache_done(void);

/*
 * The map of the namespace that we are in: disk ids are those that there are here, seen ids those
 * of the namespace that it was made from.
 */
MUST_CHECK int userns_map_own(struct idmap *ret, struct err *e);

/*
 * Open the user namespace of a process; the caller closes it. -ENOENT: no such process, or no
 * /proc; -EACCES: not the caller's to look at.
 */
MUST_CHECK int userns_open_pid(pid_t pid, int *ret_fd, struct err *e);

/*
 * The map of a namespace that exists: its own ids are the disk ids, the ids of the caller's
 * namespace the seen ones. -EINVAL for the namespace that the caller is in, and for what is no user
 * namespace; -ENODATA when it has no map yet, or one of ids that the caller's namespace does not
 * have. By descriptor or path (a file of nsfs, links followed) it needs CAP_SYS_ADMIN in that
 * namespace (-EPERM), by process nothing.
 */
MUST_CHECK int userns_map_of_pid(pid_t pid, struct idmap *ret, struct err *e);
MUST_CHECK int userns_map_of_fd(int fd, struct idmap *ret, struct err *e);
MUST_CHECK int userns_map_of_path(const char *path, struct idmap *ret, struct err *e);

#endif
