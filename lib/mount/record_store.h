/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_RECORD_STORE_H
#define MOUNT_RECORD_STORE_H

#include "info.h"
#include "mntns.h"
#include "mount_record.h"

/*
 * Records of mounts, one file for each:
 *
 *   /run/shiftbox/mounts/ID              root's (0644), which all users believe
 *   $XDG_RUNTIME_DIR/shiftbox/mounts/ID  another user's, which this user alone believes
 *
 * ID is the unique id of the mount (Linux 6.8) or, before that, "MOUNT-NAMESPACE", the id of
 * mountinfo and the inode of the mount namespace. Files appear by rename. A record counts only if
 * its file and all directories above belong to root (or to the caller) and no other user can write
 * them, and if what the kernel reports about the mount agrees with it: boot, id, device and type,
 * and before Linux 6.8, which reuses the ids of mounts, a digest of source, root and options.
 *
 * The first search of a process goes through all records, and removes those of the caller whose
 * mount is gone, or that are not valid. Not for several threads at once.
 */

/*
 * Keep a record of the mount i, which the caller just made; replaces one that an earlier mount with
 * this id has left. Sets in r what identifies the mount. Returns 0, or -errno with e filled:
 * -ENOENT if an ordinary user has no directory for it.
 */
MUST_CHECK int record_store_put(struct mount_record *r, const struct mount_info *i, struct err *e);

/*
 * For a process that enters another mount namespace, where the directories above may be another
 * user's or missing: record_store_leave() opens those of the namespace that it leaves (and, if it
 * will write records, creates them), and record_store_arrive() finds out which namespace the
 * records of its mounts are about.
 */
void record_store_leave(bool writes);
void record_store_arrive(void);

/*
 * Find the record of a mount in the namespace ns (NULL: the caller's). If there is none for an
 * overlay, the record of another mount of the same filesystem counts, since the maps belong to that
 * (a bind, or the copy in another mount namespace). Returns 1 with *ret filled, which the caller
 * frees, or 0, also if records cannot be read.
 */
int record_store_find(const struct mount_info *i, const struct mntns *ns, struct mount_record *ret);

/* As record_store_find(), for the mount that fd (O_PATH) is on. */
int record_store_find_fd(int fd, struct mount_record *ret);

/* Remove useless records, as the first search does. */
void record_store_sweep(void);

/* Remove the record of a mount of the caller's namespace that is gone. */
void record_store_remove(const struct mount_info *i);

/* Close what the functions keep open. */
void record_store_done(void);

#endif
