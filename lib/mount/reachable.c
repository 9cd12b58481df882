/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reachable: can other users reach a file? */

#include "reachable.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/path.h"

/* If the filesystem is unknown, it may be FUSE. */
static bool on_fuse(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) < 0 || fs.f_type == FUSE_SUPER_MAGIC;
}

static bool look(int fd, struct statx *ret)
{
	return statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID,
		       ret) == 0;
}

/*
 * Does this directory close its contents? With an ACL, the bits of the group are the mask, an upper
 * bound.
 */
static bool closes(int fd, const struct statx *st, gid_t group)
{
	if (st->stx_mode & (S_IROTH | S_IXOTH) || (st->stx_uid != 0 && st->stx_uid != geteuid()) ||
		(geteuid() == 0 && on_fuse(fd)))
		return false;
	if (!(st->stx_mode & (S_IRGRP | S_IXGRP)))
		return true;
	return (st->stx_gid == 0 || st->stx_gid == getegid() ||
		       (group != REACHABLE_NO_GROUP && st->stx_gid == group)) &&
		!fd_has_acl(fd);
}

/* Open the directory above dir. -1: dir is the root. st: of dir, then of the directory above. */
static int above(int dir, struct statx *st)
{
	scoped_fd int up = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct statx below = *st;

	if (up < 0 || !look(up, st))
		return -1;
	/*
	 * A directory that is bound onto one below itself has itself above, but on another mount.
	 */
	if (below.stx_ino == st->stx_ino && below.stx_dev_major == st->stx_dev_major &&
		below.stx_dev_minor == st->stx_dev_minor && below.stx_mnt_id == st->stx_mnt_id)
		return -1;
	return TAKE_FD(up);
}

/* Does a directory above dir close it? st: of dir. */
static bool closed_above(int dir, struct statx *st, gid_t group)
{
	scoped_fd int at = above(dir, st);

	while (at >= 0 && !closes(at, st, group)) {
		int up = above(at, st);

		cleanup_fd(&at);
		at = up;
	}
	return at >= 0;
}

bool reachable_closed(int dir, gid_t group)
{
	struct statx st;

	return look(dir, &st) && closed_above(dir, &st, group);
}

bool reachable_closes(int dir, gid_t group)
{
	struct statx st;

	return look(dir, &st) && S_ISDIR(st.stx_mode) && closes(dir, &st, group);
}

bool reachable_closed_in(int dir, gid_t group)
{
	struct statx st;

	return look(dir, &st) && (closes(dir, &st, group) || closed_above(dir, &st, group));
}

bool reachable_closed_at(int fd, gid_t group)
{
	scoped_place struct place at = PLACE_INIT;
	struct statx st;

	if (!look(fd, &st))
		return false;
	if (S_ISDIR(st.stx_mode))
		return closed_above(fd, &st, group);
	return path_place_of(fd, &at) == 0 && reachable_closed_in(at.dirfd, group);
}

bool reachable_mount_has(int fd, unsigned long flag)
{
	struct statvfs fs;

	return fstatvfs(fd, &fs) == 0 && (fs.f_flag & flag) == flag;
}
