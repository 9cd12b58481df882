/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_REACHABLE_H
#define MOUNT_REACHABLE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Can users other than root and the caller reach a file by its path? A directory *closes* what it
 * contains, at any depth, if
 *
 *   - its owner, who alone can change its mode, is root or the caller,
 *   - others have neither r nor x, and
 *   - its group has neither, or is root's, the caller's, or the group that is passed to the
 *     function; and then it has no ACL (acl(5)), which could grant access to more users.
 *
 * On FUSE the server reports owner and mode, so that no directory there closes anything for root.
 *
 * The functions examine descriptors (O_PATH suffices) and, by "..", the directories above them; no
 * name is looked up. Only this path to the file is judged, in its present state: other mounts of
 * the directory and later changes of modes are not considered. What cannot be examined counts as
 * open.
 */

/* For the parameter group: no further group. */
#define REACHABLE_NO_GROUP ((gid_t) - 1)

/* Does a directory above dir close it? The mode of dir itself does not count. */
bool reachable_closed(int dir, gid_t group);

/* Does the mode of dir itself close it? Its owner can change that. */
bool reachable_closes(int dir, gid_t group);

/* Do dir or a directory above it close what is in dir? */
bool reachable_closed_in(int dir, gid_t group);

/*
 * Does a directory above fd close it? fd is a directory, or a file whose directory
 * path_place_of() finds; a file without one counts as open.
 */
bool reachable_closed_at(int fd, gid_t group);

/* Does the mount of fd have this flag, ST_NOSUID, ST_NODEV or ST_RDONLY of statvfs(3)? */
bool reachable_mount_has(int fd, unsigned long flag);

#endif
