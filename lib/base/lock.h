/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <sys/stat.h>

#include "buf.h"

/*
 * Locks that other users cannot hold. flock(2) asks for no right to write, so whoever can open what
 * is locked can hold it for ever: others where it is readable, and through an ID-mapped mount the
 * user who is seen there as its owner. So the thing itself is never locked.
 *
 * A lock is a file "KIND-MAJOR:MINOR-INODE", named after what it locks, in a directory (0700)
 * outside of it: /run/shiftbox                     root $XDG_RUNTIME_DIR/shiftbox         other
 * users; in their user namespaces, too /run/user/UID/shiftbox            the same, without that
 * variable It keeps apart the processes that share this directory: not those of containers with a
 * /run of their own. Who needs that as well, or must do without such a directory (a chroot, a user
 * without a session), uses a mark.
 *
 * A mark is a file within the thing, on which its process holds a write lock (F_OFD_SETLK) from
 * before it is visible. To hold one takes the right to write there. A read lock, which any reader
 * can take, is not looked at. So a reader can neither keep a mark alive nor keep one from being
 * made. Who can write there can, and can remove all of it as well.
 *
 * Both end with the process. All functions return -errno and fill nothing.
 */
enum lock_how { LOCK_OFF, LOCK_SHARED, LOCK_EXCLUSIVE };

/*
 * The lock of what st is of; kind is a word of ours. -1 where there is no directory for it: that is
 * said once, under -v.
 */
MUST_CHECK int lock_open(const struct stat *st, const char *kind);

/* Now (-EWOULDBLOCK), or wait for it (-EINTR: a signal came). */
MUST_CHECK int lock_try(int fd, enum lock_how how);
MUST_CHECK int lock_wait(int fd, enum lock_how how);

/* "process 123 (name)": who holds it, as far as can be seen. */
void lock_print_holder(int fd, struct buf *b);

/*
 * Make a mark; *ret_fd holds it. -EAGAIN: another process got hold of the file before it was
 * locked: try another name.
 */
MUST_CHECK int mark_new(int dirfd, const char *name, int *ret_fd);

enum mark { MARK_GONE, MARK_DEAD, MARK_HELD };

/* An enum mark. What is no regular file of ours counts as gone. */
MUST_CHECK int mark_look(int dirfd, const char *name);

/* Wait until no process holds the mark (-EINTR: a signal came). */
MUST_CHECK int mark_wait(int dirfd, const char *name);

/* Remove one's own: *fd is -1 afterwards. */
void mark_drop(int dirfd, const char *name, int *fd);

enum { MARK_NAME_MAX = 64 };

#endif
