/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "buf.h"
#include "err.h"

/*
 * Paths that the operator names: on the command line, in a table, in the environment. Such a path
 * may lead through directories of other users, who can exchange what is there. So it is looked up
 * once, here, and everything after that works on the descriptor. On the way, and as the last
 * component, a symbolic link is followed only if
 *
 *   - it belongs to root or to the caller, and
 *   - so does its directory, which is writable by its owner alone (and the caller's private group),
 * or is sticky.
 *
 * That is the kernel's fs.protected_symlinks (fs/namei.c, may_follow_link()), applied to every
 * directory. The links of /proc that lead to what a process has open (/dev/stdin, /dev/fd/N) are
 * followed under the same rule. On FUSE the server tells the owners, so that root of the initial
 * user namespace follows no link there.
 *
 * In a user namespace where the host's root has no id, its files show the overflow id, as those of
 * all other users without an id do. There a directory of the overflow id counts as root's if all
 * directories above it have the overflow id, too, and are writable by their owner alone: no id of
 * the namespace can change it. In such a directory a link of the overflow id counts as root's if no
 * other id can write there; the caller's own link is followed also if the directory is sticky.
 */

/*
 * Where something is or will be: the directory that holds it, opened (O_PATH), and its name there.
 * Free with place_done().
 */
struct place {
	int dirfd; /* -1: not known, the way led through a link of /proc to an open file */
	char name[NAME_MAX +
		1]; /* "." for a path that does not end in a name of its own ("/", "..") */
};

#define PLACE_INIT ((struct place){ .dirfd = -1 })

/*
 * Open path with flags, as open(2) takes them; O_CLOEXEC is added, and what O_CREAT creates gets
 * mode 0600 (less the umask). With O_NOFOLLOW a last component that is a link is not followed:
 * opened itself with O_PATH, else -ELOOP. what: the message, "cannot open the source". ret_place:
 * where it was found (NULL: not asked for).
 *
 * -ELOOP with the step "link": a link that is not to be followed, or too many (40). Else as
 * open(2).
 */
MUST_CHECK int path_open(const char *path, int flags, const char *what, struct place *ret_place,
	int *ret_fd, struct err *e);

/* stat(2), or lstat(2) (follow: false), of what path_open() would open. -errno; tells nothing. */
MUST_CHECK int path_stat(const char *path, bool follow, struct stat *ret);

/* A regular file for reading, which is not waited for (fd_open_regular() of fd.h). */
MUST_CHECK int path_open_regular(const char *path, int *ret_fd, struct err *e);

/*
 * The place of a path whose last component need not exist. follow: if it is a link, the place it
 * leads to. what: the message when a directory on the way cannot be opened.
 */
MUST_CHECK int path_find(
	const char *path, bool follow, const char *what, struct place *ret, struct err *e);

/*
 * The same. make is called for each directory on the way that is missing, and creates it: 0, also
 * if another process was quicker, or what is returned then.
 */
struct path_maker {
	int (*make)(void *arg, int dirfd, const char *name, struct err *e);
	void *arg;
};

MUST_CHECK int path_find_or_make(const char *path, bool follow, const char *what,
	const struct path_maker *maker, struct place *ret, struct err *e);

/*
 * Open a directory (O_RDONLY), after creating it, with mode less the umask, and those above it,
 * 0755, if they are missing.
 */
MUST_CHECK int path_make_dir(
	const char *path, mode_t mode, const char *what, int *ret_fd, struct err *e);

/*
 * The kernel's name of what fd is open on (a link of /proc), for messages and for comparing with
 * the tables of mounts: never to be opened. Nothing is added to ret if it is not known.
 */
void path_of_fd(int fd, struct buf *ret);

/*
 * The place of a file that is open, by the kernel's name of it: that directory, if the file is
 * there. -ENOENT: it is not known (it was removed, or moved meanwhile). Fills nothing.
 */
MUST_CHECK int path_place_of(int fd, struct place *ret);

/*
 * Is what root or the caller has in dir (O_RDONLY) left to them? Others cannot take it away or
 * exchange it: dir belongs to root or the caller, and is writable by its owner alone, or sticky.
 */
bool path_is_kept(int dir);

/*
 * What remains of path after dir: "" if both are the same, "/..." if path is below dir, else NULL.
 * Both are absolute, without a slash at the end, and compared as text. All paths are below "/".
 */
const char *path_below(const char *path, const char *dir);

void place_done(struct place *p);

#define scoped_place __attribute__((cleanup(place_done)))

#endif
