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
 * Files by descriptor. Every function that opens a file sets O_CLOEXEC, does not block on a FIFO,
 * and returns a descriptor that the caller closes. AT_FDCWD is a valid dirfd. Unless said
 * otherwise, functions return 0 or -errno and describe the error in e.
 */

/* Open a directory for use as a dirfd (O_RDONLY, so that it can be listed and synced). */
MUST_CHECK int fd_open_dir(int dirfd, const char *path, int *ret_fd, struct err *e);

/*
 * Open a regular file for reading. A FIFO, a device, a directory or another type is refused
 * (-EINVAL, -EISDIR) without blocking. O_NOFOLLOW is the only flag allowed.
 */
MUST_CHECK int fd_open_regular(int dirfd, const char *path, int flags, int *ret_fd, struct err *e);

/*
 * Add the cause to the error of a file that could not be opened: with O_NONBLOCK, -EWOULDBLOCK says
 * that another process has a lease on it (fcntl(2), F_SETLEASE). Without, open(2) would wait.
 */
void fd_explain_lease(int r, struct err *e);

/* Refuse an open file that is not regular, as fd_open_regular() does. path: for the message. */
MUST_CHECK int fd_check_regular(int fd, const char *path, struct err *e);

/*
 * Open path below dirfd without leaving it or following any symlink (openat2: RESOLVE_BENEATH,
 * NO_SYMLINKS, NO_MAGICLINKS).
 */
MUST_CHECK int fd_open_beneath(int dirfd, const char *path, int flags, int *ret_fd, struct err *e);

/* Append a whole regular file of at most max bytes to ret. Returns -EFBIG if it is larger. */
MUST_CHECK int fd_read_all(int fd, const char *name, size_t max, struct buf *ret, struct err *e);

/* Open a regular file, and read it as fd_read_all() does. */
MUST_CHECK int fd_read_file(
	int dirfd, const char *path, size_t max, struct buf *ret, struct err *e);

/* Write all n bytes; short writes and EINTR are continued. Returns 0 or -errno, without an err. */
MUST_CHECK int fd_write_all(int fd, const void *p, size_t n);

/* Create path with O_EXCL, write it, fsync(2) and close it. */
MUST_CHECK int fd_write_file(
	int dirfd, const char *path, mode_t mode, const void *p, size_t n, struct err *e);

/* Close *fd and report errors of close(2), which may mean lost data. *fd becomes -1. */
MUST_CHECK int fd_finish(int *fd, const char *name, struct err *e);

/* Write the file to disk with fsync(2). name: for the message. */
MUST_CHECK int fd_sync(int fd, const char *name, struct err *e);

/*
 * Remove name and everything below it, in constant stack, without following links or crossing
 * mounts. A name that does not exist is not an error. -ECANCELED: stop_hurry() was called
 * meanwhile, and a part of the tree may be left.
 */
MUST_CHECK int fd_remove_tree(int dirfd, const char *name, struct err *e);

/*
 * Remove everything below the open directory fd, then name in dirfd. By then, name may be another
 * directory; that is removed only if it is empty.
 */
MUST_CHECK int fd_remove_opened(int dirfd, const char *name, int fd, struct err *e);

/*
 * Close all descriptors but those of keep, which are above 2, and make std, or /dev/null for -1,
 * standard input, output and error: for a child that should inherit nothing else. Returns 0 or
 * -errno, without an err. Needs close_range(2), Linux 5.9.
 */
MUST_CHECK int fd_let_go(const int *keep, size_t n, int std);

/*
 * Call mkdirat(2) with exactly this mode, whatever the umask. A chmod(2) afterwards, by name, could
 * change a file that another user has put there. The umask belongs to the process, so no other
 * thread may create files meanwhile. Returns 0, or -1 with errno.
 */
MUST_CHECK int fd_make_dir(int dirfd, const char *name, mode_t mode);

/*
 * Does the file have an access ACL? Then the group bits of its mode are the mask of the ACL, an
 * upper bound (acl(5)). An O_PATH fd works, too. Returns true if it cannot be found out.
 */
bool fd_has_acl(int fd);

/* Are both the same file, by device and inode number? */
bool same_file(const struct stat *a, const struct stat *b);

/* Print "/proc/self/fd/N" into buf, and return buf. */
const char *fd_proc_path(int fd, char buf[static 32]);

#endif
