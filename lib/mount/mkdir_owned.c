/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mkdir_owned: create directories with their final owner. */

#include "mkdir_owned.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fd.h"
#include "fs_limits.h"
#include "fsids.h"
#include "probe.h"

/*
 * By descriptor, and only if the owner is right: another user may have exchanged the directory
 * since it was made.
 */
static int set_mode(int fd, const struct owner_mode *b, uint32_t mode)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != b->uid)
		return -ESTALE;
	return (st.st_mode & 07777) == mode || fchmod(fd, mode) == 0 ? 0 : -errno;
}

static int make_plain(int dirfd, const char *name, const struct owner_mode *b)
{
	scoped_fd int fd = -1;

	if (fd_make_dir(dirfd, name, b->mode & 01777) < 0)
		return -errno;
	if (!(b->mode & 06000)) /* mkdir(2) ignores these bits */
		return 0;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : set_mode(fd, b, b->mode & 07777);
}

static int cannot_create(int num, const struct owner_mode *b, const char *path, struct err *e)
{
	return err_set(e, num, path, "cannot create the directory, with owner %u:%u on the disk",
		b->uid, b->gid);
}

/*
 * A directory inherits the group of a set-gid parent, and the entries of its default ACL. So it is
 * created in a new plain directory beside, and renamed.
 */
static int born_beside(
	int dirfd, const char *name, const struct owner_mode *b, const char *path, struct err *e)
{
	scoped_fd int tmp = -1;
	char tmpname[32];
	char fd_path[32];
	int r = 0;

	(void)snprintf(tmpname, sizeof(tmpname), ".shiftbox-%d", (int)getpid()); /* fits */
	if (mkdirat(dirfd, tmpname, 0700) < 0)
		return cannot_create(errno, b, path, e);
	tmp = openat(dirfd, tmpname, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = tmp < 0 ? -errno : set_mode(tmp, b, 0700);
	if (r == 0) {
		/* it has none, or the filesystem has no ACLs */
		(void)removexattr(fd_proc_path(tmp, fd_path), "system.posix_acl_default");
		(void)removexattr(fd_path, "system.posix_acl_access");
		r = make_plain(tmp, "d", b);
		if (r == 0 && renameat2(tmp, "d", dirfd, name, RENAME_NOREPLACE) < 0)
			r = -errno;
	}
	if (r < 0 && tmp >= 0)
		(void)unlinkat(tmp, "d", AT_REMOVEDIR); /* if it was created */
	(void)unlinkat(dirfd, tmpname, AT_REMOVEDIR);   /* it is empty now */
	if (r == 0)
		return 0;
	(void)cannot_create(-r, b, path, e);
	if (r == -EINVAL)
		fs_explain_rename(dirfd, e);
	return r;
}

int mkdir_owned(
	int dirfd, const char *name, const struct owner_mode *b, const char *path, struct err *e)
{
	scoped_fsids struct fsids ids = FSIDS_INIT;
	int r = fsids_enter(&ids, b->uid, b->gid, e);

	if (r == 0)
		r = born_beside(dirfd, name, b, path, e);
	if (r < 0) {
		err_op(e, "mkdir");
		probe_create(dirfd, e);
	}
	return r;
}
