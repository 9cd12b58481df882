/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_CLONE_CACHE_H
#define MOUNT_CLONE_CACHE_H

#include <stdbool.h>

#include "../base/cleanup.h"

/*
 * A cache of clones, for sources that are cloned many times. For each clone of a directory, the
 * kernel walks all mounts on the mount that the directory is on (fs/namespace.c,
 * has_locked_children()): to bind one directory to ten thousand places of the same filesystem takes
 * fifty million steps. So a source that is cloned for the second time gets a detached, private
 * clone that is kept, on which nothing is ever mounted, and further clones are made from that.
 * Needs Linux 6.15; older kernels clone the source each time, which is logged with --verbose.
 *
 * Up to 64 clones are kept, one for each mount and inode, until clone_cache_done(). The clones keep
 * their filesystems busy. Not safe for use by several threads.
 */

/*
 * Clone fd's directory or file, detached and private: for callers that will set the propagation to
 * private or unbindable. Returns a descriptor, or -1 if the cache cannot serve it; then clone fd
 * itself, which reports an error if there is one.
 */
MUST_CHECK int clone_cache_clone(int fd);

/*
 * A flag that belongs to the directory fd, false at first. It lasts as long as the clone that is
 * kept of the directory, which keeps its inode in use. NULL: no clone is kept, or fd is not a
 * directory.
 */
bool *clone_cache_note(int fd);

/* Close all clones that are kept. */
void clone_cache_done(void);

#endif
