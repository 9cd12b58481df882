/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* path_link: decide whether to follow a symbolic link. */

#include "path_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdint.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "caps.h"
#include "fd.h"
#include "num.h"

enum {
	OVERFLOW = 65534,   /* the kernel's default (kernel.overflowuid); another one is not
	                       recognised, and so not trusted */
	MAP_MAX = 16 << 10, /* bytes: 340 extents of 33 */
};

/*
 * --- the user namespace ------------------------------------------------------------------------
 */

/*
 * What a map in /proc/self says: do ids of the host exist that have no id here, is the overflow id
 * mapped, and what is the caller's id outside?
 */
struct userns_ids {
	bool known, all, overflow_is_one;
	uint64_t outside;
};

static void add_extent(const char *line, size_t n, uint64_t own, struct userns_ids *ret)
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
	if (own >= v[0] && own - v[0] < v[2])
		ret->outside = v[1] + (own - v[0]);
}

/* path: /proc/self/uid_map or gid_map. own: the id of the caller. */
static struct userns_ids read_ids(const char *path, uint64_t own)
{
	scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	scoped_buf struct buf b = BUF_INIT;
	struct userns_ids ids = { .outside = UINT64_MAX };

	if (fd < 0 || fd_read_all(fd, path, MAP_MAX, &b, NULL) < 0 || !buf_get(&b))
		return ids;
	for (const char *p = b.data; p && *p;) {
		size_t n = strcspn(p, "\n");

		add_extent(p, n, own, &ids);
		p += n + (p[n] == '\n');
	}
	return ids;
}

/*
 * The directory shows the overflow id, which may also be the id of a user here: is it unmapped?
 * O_NOATIME requires the owner, or CAP_FOWNER over the owner's id (fs/namei.c, may_open()), so it
 * is refused if the owner has no id here.
 */
static bool has_no_id(int dir, const struct userns_ids *ids)
{
	scoped_fd int fd = -1;

	if (!ids->overflow_is_one)
		return true;
	if (!caps_has(CAP_FOWNER))
		return false;
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_NOATIME | O_CLOEXEC);
	return fd < 0 && errno == EPERM;
}

/*
 * Open the parent directory, or return -1. top: dir is the root directory. Inode numbers alone do
 * not identify it: FUSE servers make them up.
 */
static int go_up(int dir, bool *top)
{
	scoped_fd int up = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statx a, b;

	if (up < 0 || statx(dir, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &a) < 0 ||
		statx(up, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &b) < 0)
		return -1;
	*top = a.stx_ino == b.stx_ino && a.stx_mnt_id == b.stx_mnt_id &&
		a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor;
	return TAKE_FD(up);
}

/*
 * Do dir and all directories above it belong to users without an id here, so that no id of this
 * namespace can change them? sticky: others may write in dir itself if it is sticky.
 */
static bool out_of_reach(int start, bool sticky, const struct userns_ids *ids)
{
	scoped_fd int dir = fcntl(start, F_DUPFD_CLOEXEC, 3);
	bool top = false;
	struct stat st;

	while (dir >= 0 && fstat(dir, &st) == 0) {
		int up;

		if (st.st_uid != OVERFLOW || !has_no_id(dir, ids) ||
			(st.st_mode & (S_IWGRP | S_IWOTH) && !(sticky && st.st_mode & S_ISVTX)))
			return false;
		up = go_up(dir, &top);
		cleanup_fd(&dir);
		dir = up;
		sticky = false;
		if (dir >= 0 && top)
			return true;
	}
	return false;
}

/*
 * --- the rule ----------------------------------------------------------------------------------
 */

static bool ours(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/*
 * The group of a directory may write if it is the private group of the caller, which has the number
 * of the user (umask 002 is used with such groups). In a user namespace, the numbers outside count.
 * An ACL that lets others write shows in the bits of the group.
 */
static bool is_private_group(int dir, const struct stat *st)
{
	struct userns_ids uid = read_ids("/proc/self/uid_map", geteuid()),
			  gid = read_ids("/proc/self/gid_map", getegid());

	return st->st_gid == getegid() && uid.known && gid.known && uid.outside == gid.outside &&
		!fd_has_acl(dir);
}

static bool only_owner_replaces(int dir, const struct stat *st)
{
	if (st->st_mode & S_ISVTX || !(st->st_mode & (S_IWGRP | S_IWOTH)))
		return true;
	return !(st->st_mode & S_IWOTH) && is_private_group(dir, st);
}

bool path_is_kept(int dir)
{
	struct stat st;

	return fstat(dir, &st) == 0 && ours(st.st_uid) && only_owner_replaces(dir, &st);
}

static bool on_fuse(int dir)
{
	struct statfs fs;

	return fstatfs(dir, &fs) < 0 || fs.f_type == FUSE_SUPER_MAGIC;
}

/*
 * Any user may be the server of a FUSE filesystem; in a user namespace it is mostly one of the
 * namespace.
 */
static bool owners_are_told(int dir, const struct userns_ids *ids)
{
	return geteuid() != 0 || (ids->known && !ids->all) || !on_fuse(dir);
}

static bool may_follow(int dir, const struct stat *at, const struct stat *link)
{
	struct userns_ids ids = read_ids("/proc/self/uid_map", geteuid());
	bool in_userns = ids.known && !ids.all;

	if (ours(link->st_uid) && ours(at->st_uid))
		return only_owner_replaces(dir, at) && owners_are_told(dir, &ids);
	return in_userns &&
		((link->st_uid == OVERFLOW && out_of_reach(dir, false, &ids)) ||
			(ours(link->st_uid) && out_of_reach(dir, true, &ids)));
}

int path_link_check(
	int dir, const struct stat *link, const char *name, const char *path, struct err *e)
{
	struct stat at;

	if (fstat(dir, &at) < 0)
		return err_set(e, errno, path, "cannot stat a directory on the way");
	if (may_follow(dir, &at, link))
		return 0;

	(void)err_say(e, ELOOP, path, "the symbolic link '%s' on the way is not followed", name);
	err_op(e, "link");
	if (!ours(link->st_uid))
		err_why(e, "it belongs to user %u, who can make it lead anywhere", link->st_uid);
	else if (!ours(at.st_uid))
		err_why(e, "its directory belongs to user %u, who can replace it", at.st_uid);
	else if (!only_owner_replaces(dir, &at))
		err_why(e, "its directory is writable by others (mode %04o), who can replace it",
			at.st_mode & 07777);
	else
		err_why(e, "it is on a FUSE filesystem, whose server can make up the owners");
	err_try(e, "specify its target by a path without this link: readlink -f shows it");
	return -ELOOP;
}

bool path_link_is_magic(int dir, const char *name)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_NO_MAGICLINKS };
	struct statfs fs;
	scoped_fd int fd = -1;

	if (fstatfs(dir, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return false;
	fd = sys_openat2(dir, name, &how);
	return fd < 0 && errno == ELOOP;
}
