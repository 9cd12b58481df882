/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_RUNTIME_DIR_H
#define BASE_RUNTIME_DIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "cleanup.h"

/*
 * The directories for files that last until the next boot:
 *
 *   /run/shiftbox                 root's
 *   $XDG_RUNTIME_DIR/shiftbox     another user's, also in the user namespaces of that user
 *   /run/user/UID/shiftbox        the same, if that variable is not set; for the host's root, whose
 *                                 environment may be another user's, even if it is
 *
 * All functions return a descriptor that can be listed, or -errno without an err.
 */

/*
 * Open root's directory for writing; it is created (0700) if it does not exist. -EPERM: other users
 * can write in it or replace it, or the caller is not root.
 */
MUST_CHECK int runtime_dir_root(void);

/*
 * Open the caller's own directory below XDG_RUNTIME_DIR; create: make it (0700). -EPERM: other
 * users can enter it. strict: XDG_RUNTIME_DIR, too, must be the caller's alone, and not a link.
 */
MUST_CHECK int runtime_dir_user(bool create, bool strict);

/*
 * Open the directory `name` in root's directory for reading, as any user. No symbolic link is
 * followed. Every directory on the way must belong to root, and be writable by root alone (/ and
 * /run may be sticky), else -EPERM. In a user namespace where the host's root has no id, files of
 * that root show the overflow id, as do those of other users without an id: there, the overflow id
 * counts as root's if all directories on the way have it. *ret_owner is the owner that root's files
 * show.
 */
MUST_CHECK int runtime_dir_of_root(const char *name, uid_t *ret_owner);

#endif
