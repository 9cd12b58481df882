/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* path_link: may a symbolic link that is on the way be followed? */

#include "path_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "fd.h"
#include "num.h"

enum {
	OVERFLOW = 65534,     /* the kernel's default (kernel.overflowuid); another one is not recognised, and so not trusted */
	MAP_MAX = 16 << 10,   /* bytes: 340 extents of 33 */
};

/* --- the user namespace ------------------------------------------------------------------------ */

/* What /proc/self/uid_map tells: are there ids of the host that have none here, and is the overflow id also an id? */
struct ids { bool known, all, overflow_is_one; };

static void add_extent(const char *line, size_t n, struct ids *ret)
{
	uint64_t v[3] = { 0, 0, 0 };

	for (size_t i = 0, at = 0; i < 3; i++) {
		size_t len;

		while (at < n && line[at] == ' ')
			at++;
		for (len = 0; at + len < n && line[at + len] != ' '; len++)
			;
		if (num_u64_n(line + at, len, &v[i]) < 0)
			return;
		at += len;
	}
	ret->known = true;
	ret->all |= v[0] == 0 && v[1] == 0 && v[2] >= UINT32_MAX;
	ret->overflow_is_one |= OVERFLOW >= v[0] && OVERFLOW - v[0] < v[2];
}

static struct ids read_ids(void)
{
	scoped_fd int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	scoped_buf struct buf b = BUF_INIT;
	struct ids ids = { false, false, false };

	if (fd < 0 || fd_read_all(fd, "/proc/self/uid_map", MAP_MAX, &b, NULL) < 0 || !buf_get(&b))
		return ids;
	for (const char *p = b.data; p && *p;) {
		size_t n = strcspn(p, "\n");

		add_extent(p, n, &ids);
		p += n + (p[n] == '\n');
	}
	return ids;
}

static bool may_own_all(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	return syscall(SYS_capget, &h, d) == 0 && d[0].effective & (1U << CAP_FOWNER);
}

/*
 * The directory shows the overflow id, which is also that of an id of this namespace: whose is it? O_NOATIME is for the owner and
 * for CAP_FOWNER over its id (fs/namei.c, may_open()), so that it is refused where the owner has no id here.
 */
static bool has_no_id(int dir)
{
	scoped_fd int fd = -1;

	if (!may_own_all())
		return false;
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_NOATIME | O_CLOEXEC);
	return fd < 0 && errno == EPERM;
}

/* Does dir, with all above it, belong to users without an id here, so that none who has one can change it? */
static bool out_of_reach(int start, const struct ids *ids)
{
	scoped_fd int dir = fcntl(start, F_DUPFD_CLOEXEC, 3);
	struct stat st, above;

	while (dir >= 0 && fstat(dir, &st) == 0) {
		int up;

		if (st.st_uid != OVERFLOW || st.st_mode & (S_IWGRP | S_IWOTH) || (ids->overflow_is_one && !has_no_id(dir)))
			return false;
		up = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up < 0 || fstat(up, &above) < 0) {
			cleanup_fd(&up);
			return false;
		}
		cleanup_fd(&dir);
		dir = up;
		if (st.st_dev == above.st_dev && st.st_ino == above.st_ino)
			return true;
	}
	return false;
}

/* --- the rule ---------------------------------------------------------------------------------- */

static bool ours(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/*
 * An ACL that lets others write shows in the bits of the group. The caller's private group, which has the number of its user, may
 * write: that is how user private groups are used (umask 002). In a user namespace such a number tells nothing.
 */
static bool only_owner_replaces(int fd, const struct stat *dir, const struct ids *ids)
{
	if (dir->st_mode & S_ISVTX || !(dir->st_mode & (S_IWGRP | S_IWOTH)))
		return true;
	return !(dir->st_mode & S_IWOTH) && ids->all && dir->st_gid == getegid() && getegid() == geteuid() && !fd_has_acl(fd);
}

static bool on_fuse(int dir)
{
	struct statfs fs;

	return fstatfs(dir, &fs) == 0 && fs.f_type == FUSE_SUPER_MAGIC;
}

int path_link_check(int dir, const struct stat *link, const char *name, const char *path, struct err *e)
{
	struct stat at;
	struct ids ids;

	if (fstat(dir, &at) < 0)
		return err_set(e, errno, path, "cannot stat a directory on the way");
	ids = read_ids();
	if (ours(link->st_uid) && ours(at.st_uid) && only_owner_replaces(dir, &at, &ids) && !(ids.all && geteuid() == 0 && on_fuse(dir)))
		return 0;
	if (link->st_uid == OVERFLOW && ids.known && !ids.all && out_of_reach(dir, &ids))
		return 0;

	(void)err_say(e, ELOOP, path, "the symbolic link '%s' on the way is not followed", name);
	err_op(e, "link");
	if (!ours(link->st_uid))
		err_why(e, "it belongs to user %u, who could have it lead anywhere", link->st_uid);
	else if (!ours(at.st_uid))
		err_why(e, "its directory belongs to user %u, who could exchange it", at.st_uid);
	else if (!only_owner_replaces(dir, &at, &ids))
		err_why(e, "its directory is writable by others (mode %04o), who could exchange it", at.st_mode & 07777);
	else
		err_why(e, "it is on a FUSE filesystem, whose server tells the owners that it likes");
	err_try(e, "name what it should lead to by a path without this link: readlink -f shows it");
	return -ELOOP;
}

bool path_link_is_magic(int dir, const char *name)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };
	struct statfs fs;
	scoped_fd int fd = -1;

	if (fstatfs(dir, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return false;
	fd = sys_openat2(dir, name, &how);
	return fd < 0 && errno == ELOOP;
}
