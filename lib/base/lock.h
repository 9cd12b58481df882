/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <sys/stat.h>

#include "buf.h"

/*
 * Locks that other users cannot hold. flock(2) does not require write permission, so every user who
 * can open a locked file can hold the lock forever: readers, and through an ID-mapped mount the
 * user who appears as the owner. So the file that needs protection is never locked itself.
 *
 * A lock is a file KIND-MAJOR:MINOR-INODE (0600), named after the file that it stands for, in the
 * caller's directory of runtime_dir.h. It excludes the processes that share this directory, and not
 * those of containers with a /run of their own. A mark also excludes those, and works without such
 * a directory (in a chroot, or for a user without a session).
 *
 * A mark is a file inside the directory that it protects. Its process holds a write lock on it
 * (F_OFD_SETLK) from before it becomes visible. Holding a write lock requires write permission; a
 * read lock, which any reader can take, is ignored. So a reader can neither keep a mark alive nor
 * prevent one. A user with write permission can do both, and can remove the directory's content as
 * well.
 *
 * Both end with the process. The functions return -errno, without an err.
 */
enum lock_how { LOCK_OFF, LOCK_SHARED, LOCK_EXCLUSIVE };

/*
 * Open the lock for the file of st; kind is a prefix of the lock's name. Returns -1 if there is no
 * directory for locks, which is logged once (log_verbose).
 */
MUST_CHECK int lock_open(const struct stat *st, const char *kind);

/*
 * Take or release the lock: lock_try() returns -EWOULDBLOCK if another process holds it,
 * lock_wait() waits (-EINTR: a signal came).
 */
MUST_CHECK int lock_try(int fd, enum lock_how how);
MUST_CHECK int lock_wait(int fd, enum lock_how how);

/* Append the process that holds the lock, "process 123 (name)", as far as it can be found out. */
void lock_print_holder(int fd, struct buf *b);

/*
 * Has a process a delegation on the directory (fcntl(2), F_SETDELEG, Linux 6.19)? Then each change
 * of its names waits for that process, for up to fs.lease-break-time. Append the process.
 */
bool lock_print_delegate(int fd, struct buf *b);

/*
 * Create a mark, which *ret_fd holds. -EAGAIN: another process opened the file before it was
 * locked; try again with another name.
 */
MUST_CHECK int mark_new(int dirfd, const char *name, int *ret_fd);

enum mark { MARK_GONE, MARK_DEAD, MARK_HELD };

/* Returns an enum mark. A file that is not regular, or of another user, counts as MARK_GONE. */
MUST_CHECK int mark_look(int dirfd, const char *name);

/* Wait until no process holds the mark. -EINTR: a signal came. */
MUST_CHECK int mark_wait(int dirfd, const char *name);

/* Remove a mark of this process. *fd becomes -1. */
void mark_drop(int dirfd, const char *name, int *fd);

enum { MARK_NAME_MAX = 64 };

#endif
