/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "buf.h"
#include "err.h"

/*
 * Paths that the caller of a command specifies: on the command line, in a table, in the
 * environment. Such a path may lead through directories of other users, who can replace its
 * components at any time. So it is looked up once, here, and all further work is done on the
 * descriptor. A symbolic link, on the way or as the last component, is followed only if
 *
 *   - it belongs to root or to the caller, and
 *   - its directory belongs to root or to the caller, and is writable by its owner alone (and the
 *     caller's private group), or is sticky.
 *
 * This is the kernel's fs.protected_symlinks (fs/namei.c, may_follow_link()), applied to every
 * directory. Links of /proc to files that a process has open (/dev/stdin, /dev/fd/N) are followed
 * under the same rule. On FUSE, the server makes up the owners, so root of the initial user
 * namespace follows no link there.
 *
 * In a user namespace where the root of the host has no id, files of that root show the overflow
 * id, as do the files of all other users without an id. There, a directory with the overflow id
 * counts as root's if all directories above it have the overflow id, too, and are writable by their
 * owner alone: then no id of the namespace can change it. In such a directory, a link with the
 * overflow id counts as root's if no other id can write there; a link of the caller is also
 * followed if the directory is sticky.
 */

/*
 * A directory entry, which may not exist yet: the directory, opened with O_PATH, and the name in
 * it. Free it with place_done().
 */
struct place {
	int dirfd; /* -1: unknown, the path led through a link of /proc to an open file */
	char name[NAME_MAX + 1]; /* "." for a path that does not end in a name ("/", "..") */
};

#define PLACE_INIT ((struct place){ .dirfd = -1 })

/*
 * Open path with the flags of open(2). O_CLOEXEC is added; O_CREAT creates with mode 0600, less the
 * umask. With O_NOFOLLOW, a link as the last component is not followed: with O_PATH the link itself
 * is opened, otherwise the error is -ELOOP. what: the message, "cannot open the source". ret_place:
 * receives the place of the file, and may be null.
 *
 * Errors are those of open(2), -ELOOP for more than 40 links, and -ELOOP with e->op "link" for a
 * link that must not be followed.
 */
MUST_CHECK int path_open(const char *path, int flags, const char *what, struct place *ret_place,
	int *ret_fd, struct err *e);

/* Open a path that is relative to dirfd (O_PATH suffices), as path_open() does. */
MUST_CHECK int path_open_in(
	int dirfd, const char *path, int flags, const char *what, int *ret_fd, struct err *e);

/*
 * Call stat(2), or lstat(2) without follow, on what path_open() would open. -errno, without an err.
 */
MUST_CHECK int path_stat(const char *path, bool follow, struct stat *ret);

/* Open a regular file for reading, without blocking on other types (fd_open_regular() of fd.h). */
MUST_CHECK int path_open_regular(const char *path, int *ret_fd, struct err *e);

/*
 * Find the place of a path whose last component may not exist. follow: if the last component is a
 * link, find the place that it leads to. what: the message if a directory on the way cannot be
 * opened.
 */
MUST_CHECK int path_find(
	const char *path, bool follow, const char *what, struct place *ret, struct err *e);

/*
 * As path_find(), but call make for each directory on the way that does not exist. make creates it,
 * or finds that another process just did, and returns 0; any other value ends the walk and is
 * returned.
 */
struct path_maker {
	int (*make)(void *arg, int dirfd, const char *name, struct err *e);
	void *arg;
};

MUST_CHECK int path_find_or_make(const char *path, bool follow, const char *what,
	const struct path_maker *maker, struct place *ret, struct err *e);

/*
 * Open the directory, or the nearest one above it that exists (O_PATH). The caller closes it.
 * Returns -1 if none can be opened.
 */
int path_open_existing(const char *dir);

/*
 * May the caller create entries in the directory? Returns 0, or -errno: what faccessat2(2) says;
 * -ENOENT and -EPERM for /proc and /sys, which refuse all entries with these errors. Free space is
 * not looked at.
 */
MUST_CHECK int path_may_create(int dirfd);

/*
 * Add to the error of a directory that cannot be created in dirfd why it cannot: nothing can be
 * created in /proc, nor in a removed directory. dir: what the error calls dirfd, as "its parent".
 */
void path_explain_mkdir(int dirfd, const char *dir, struct err *e);

/*
 * Open a directory (O_RDONLY). If it does not exist, create it with mode, and the directories above
 * it with 0755, less the umask.
 */
MUST_CHECK int path_make_dir(
	const char *path, mode_t mode, const char *what, int *ret_fd, struct err *e);

/*
 * Append the kernel's path of an open file (the link in /proc) to ret, for messages and for
 * comparing with tables of mounts; it must not be opened. Appends nothing if the path is not known.
 */
void path_of_fd(int fd, struct buf *ret);

/*
 * Find the place of an open file by the kernel's path of it, if the file is still there. Returns
 * -ENOENT if it was removed or moved. Does not describe errors.
 */
MUST_CHECK int path_place_of(int fd, struct place *ret);

/*
 * Can other users neither remove nor replace the entries of root and of the caller in dir
 * (O_RDONLY)? So dir must belong to root or to the caller, and be writable by its owner alone, or
 * sticky.
 */
bool path_is_kept(int dir);

/*
 * What remains of path after dir: "" if both are the same, "/..." if path is below dir, else NULL.
 * Both are absolute, without a slash at the end, and compared as text. All paths are below "/".
 */
const char *path_below(const char *path, const char *dir);

/*
 * Find the first directory on the way of path, or path itself, that this process may not search,
 * and append "'DIR' (mode 0700)" to ret, for the message about a path that could not be opened.
 * Returns false if there is none. The path is looked up once more, as the kernel does it, and
 * nothing may be opened on the strength of this.
 */
bool path_closed(const char *path, struct buf *ret);

void place_done(struct place *p);

#define scoped_place __attribute__((cleanup(place_done)))

#endif
