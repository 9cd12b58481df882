/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reachable: can other users get there? */

#include "reachable.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../base/fd.h"
#include "place.h"

static bool on_fuse(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == FUSE_SUPER_MAGIC;
}

/* Does this directory keep all others out? With an ACL the bits of the group are its mask, which is an upper bound. */
static bool closes(int fd, const struct stat *st, gid_t group)
{
	if ((st->st_uid != 0 && st->st_uid != geteuid()) || st->st_mode & (S_IROTH | S_IXOTH))
		return false;
	if (geteuid() == 0 && on_fuse(fd))
		return false;
	if (!(st->st_mode & (S_IRGRP | S_IXGRP)))
		return true;
	return (st->st_gid == 0 || st->st_gid == getegid() || (group != REACHABLE_NO_GROUP && st->st_gid == group)) && !fd_has_acl(fd);
}

/* The directory above, through which one gets to dir; -1 if dir is the root of all. */
static int above(int dir)
{
	scoped_fd int up = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statx a, b;

	if (up < 0 || statx(dir, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &a) < 0 ||
	    statx(up, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &b) < 0)
		return -1;
	/* What is bound onto a directory in itself has itself above, on another mount. */
	if (a.stx_ino == b.stx_ino && a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor &&
	    a.stx_mnt_id == b.stx_mnt_id)
		return -1;
	return TAKE_FD(up);
}

bool reachable_closed_in(int dir, gid_t group)
{
	scoped_fd int at = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	struct stat st;

	while (at >= 0 && fstat(at, &st) == 0) {
		int up;

		if (closes(at, &st, group))
			return true;
		up = above(at);
		cleanup_fd(&at);
		at = up;
	}
	return false;
}

bool reachable_closed(int dir, gid_t group)
{
	scoped_fd int up = above(dir);

	return up >= 0 && reachable_closed_in(up, group);
}

bool reachable_closed_at(int fd, gid_t group)
{
	scoped_place struct place at = PLACE_INIT;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	if (S_ISDIR(st.st_mode))
		return reachable_closed(fd, group);
	return path_place_of(fd, &at) == 0 && reachable_closed_in(at.dirfd, group);
}

bool reachable_mount_has(int fd, unsigned long flag)
{
	struct statvfs fs;

	return fstatvfs(fd, &fs) == 0 && (fs.f_flag & flag) == flag;
}
