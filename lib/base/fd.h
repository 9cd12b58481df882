/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "buf.h"
#include "err.h"

/*
 * Files by descriptor. Every function that opens one uses O_CLOEXEC, never blocks on a FIFO, and
 * gives the caller a descriptor to close. dirfd may be AT_FDCWD. Errors are described in e.
 */

/* Open a directory for use as a dirfd (O_RDONLY, so that it can be listed and synced). */
MUST_CHECK int fd_open_dir(int dirfd, const char *path, int *ret_fd, struct err *e);

/*
 * Open a regular file for reading; anything else (a FIFO, a device, a directory) is refused without
 * being waited for. flags: 0 or O_NOFOLLOW.
 */
MUST_CHECK int fd_open_regular(int dirfd, const char *path, int flags, int *ret_fd, struct err *e);

/* The same refusal, of what is open already. path: for the message. */
MUST_CHECK int fd_check_regular(int fd, const char *path, struct err *e);

/*
 * Open path below dirfd without leaving it or following any symlink (openat2: RESOLVE_BENEATH,
 * NO_SYMLINKS, NO_MAGICLINKS).
 */
MUST_CHECK int fd_open_beneath(int dirfd, const char *path, int flags, int *ret_fd, struct err *e);

/* Read a whole regular file of at most max bytes into ret (which is appended to): -EFBIG beyond. */
MUST_CHECK int fd_read_all(int fd, const char *name, size_t max, struct buf *ret, struct err *e);

/* Open and read such a file. */
MUST_CHECK int fd_read_file(
	int dirfd, const char *path, size_t max, struct buf *ret, struct err *e);

/*
 * Write all n bytes, continuing after short writes and EINTR. Returns 0 or -errno; fills nothing.
 */
MUST_CHECK int fd_write_all(int fd, const void *p, size_t n);

/* Create path with O_EXCL, write, fsync and close it. */
MUST_CHECK int fd_write_file(
	int dirfd, const char *path, mode_t mode, const void *p, size_t n, struct err *e);

/* Close *fd where closing can lose data; it is -1 afterwards. */
MUST_CHECK int fd_finish(int *fd, const char *name, struct err *e);

/* fsync, described. */
MUST_CHECK int fd_sync(int fd, const char *name, struct err *e);

/*
 * Remove name and everything below it, without following links or crossing mounts, in constant
 * stack. A name that does not exist is no error. -ECANCELED: stop_hurry() was called meanwhile, and
 * something may be left.
 */
MUST_CHECK int fd_remove_tree(int dirfd, const char *name, struct err *e);

/*
 * The same of a directory that is open as fd: what name leads to by now is removed only if it is an
 * empty directory.
 */
MUST_CHECK int fd_remove_opened(int dirfd, const char *name, int fd, struct err *e);

/*
 * Close all descriptors but a and b, which are above 2, and have standard input, output and error
 * be std, or /dev/null for -1. For a process that is to have nothing of its parent's. Returns 0 or
 * -errno; fills nothing. Linux 5.9 (close_range(2)).
 */
MUST_CHECK int fd_let_go(int a, int b, int std);

/*
 * mkdirat(2) with this very mode, whatever the umask: a mode that is set afterwards, by name, could
 * be set on what another user has put there. No other thread may create files meanwhile. 0 or -1
 * with errno.
 */
MUST_CHECK int fd_make_dir(int dirfd, const char *name, mode_t mode);

/*
 * Does it have an access ACL? Then the mode's bits of the group are the ACL's mask, an upper bound
 * (acl(5)). fd may be O_PATH.
 */
bool fd_has_acl(int fd);

/* Are both the same file, by device and inode number? */
bool same_file(const struct stat *a, const struct stat *b);

/* "/proc/self/fd/N" into buf, returned. */
const char *fd_proc_path(int fd, char buf[static 32]);

#endif
