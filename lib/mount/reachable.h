/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_REACHABLE_H
#define MOUNT_REACHABLE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Can other users than root and the caller reach a file by its path? A directory *closes* what is
 * in it and below it if
 *
 *   - its owner is root or the caller, who alone can change its mode,
 *   - others have neither r nor x, and
 *   - its group has neither, or is root's, the caller's own or the one that the caller of the
 * function names; and then no ACL (acl(5)) lets somebody else in.
 *
 * On FUSE the server tells owner and mode, so there no directory closes anything for root.
 *
 * The descriptors (O_PATH will do) are asked, and the directories above them by "..": no name is
 * looked up. Only this one way to the file is judged, as it is now: other mounts of the directory,
 * and later changes of modes, are not seen. What cannot be found out counts as open.
 */

/* For group: nobody else's. */
#define REACHABLE_NO_GROUP ((gid_t) - 1)

/*
 * Is dir closed, by a directory above it? Its own mode does not count: that of a tree's root is the
 * tree's.
 */
bool reachable_closed(int dir, gid_t group);

/* Does the mode of dir itself keep all others out? Its owner can change that. */
bool reachable_closes(int dir, gid_t group);

/* Is what lies in dir closed, by dir or by a directory above it? */
bool reachable_closed_in(int dir, gid_t group);

/*
 * The same for a directory, or a file in the directory of path_place_of(); a file without one
 * counts as open.
 */
bool reachable_closed_at(int fd, gid_t group);

/*
 * Has the mount through which fd was reached this flag, ST_NOSUID, ST_NODEV or ST_RDONLY of
 * statvfs(3)?
 */
bool reachable_mount_has(int fd, unsigned long flag);

#endif
