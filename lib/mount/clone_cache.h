/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_CLONE_CACHE_H
#define MOUNT_CLONE_CACHE_H

#include <stdbool.h>

/*
 * Clones of what is cloned again and again. For each clone of a directory the kernel looks at all
 * that is mounted on the mount that the directory is on (fs/namespace.c, has_locked_children()):
 * binding one directory to ten thousand places of the same filesystem takes fifty million looks. So
 * a detached, private clone is kept of what is cloned a second time, on which nothing is ever
 * mounted, and that is cloned from then on. Needs Linux 6.15; on older kernels it is told under
 * --verbose that sources are cloned each time.
 *
 * A few dozen are kept, one for each distinct mount and inode, until clone_cache_done(); they keep
 * their filesystems busy until then. Not for several threads at once.
 */

/*
 * A detached clone as open_tree(2) would make it of fd, but private: only for who will set its
 * propagation to private or unbindable. -1: there is none to be had this way, and the caller is to
 * clone fd itself, which tells why should that fail.
 */
int clone_cache_clone(int fd);

/*
 * A note about the directory that fd is open on, false at first, which lasts as long as the copy
 * that is kept of it, by which its inode is in use. NULL: no copy is kept, or it is no directory.
 */
bool *clone_cache_note(int fd);

/* Let go of all of them. */
void clone_cache_done(void);

#endif
