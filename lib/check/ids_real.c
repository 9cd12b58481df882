/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ids_real: find out whether the overflow id, seen as an owner, is the owner's real id. */

#include "ids_real.h"

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "../base/cleanup.h"
#include "../base/sys.h"
#include "../idmap/userns_self.h"

void ids_real_init(struct ids_real *ret)
{
	*ret = (struct ids_real){
		.overflow_uid = userns_overflow_id(false),
		.overflow_gid = userns_overflow_id(true),
		.euid = geteuid(),
		.initial = userns_is_initial(),
	};
}

/* Does the filesystem leave the decision to generic_permission()? A server may allow anything. */
static bool is_generic(int fd)
{
	static const unsigned long magic[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
		TMPFS_MAGIC, OVERLAYFS_SUPER_MAGIC };
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(magic); i++)
		if ((unsigned long)fs.f_type == magic[i])
			return true;
	return false;
}

static bool allows(int dirfd, const char *name, int mode)
{
	return sys_faccessat2(dirfd, name, mode,
		       AT_EACCESS | (*name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH)) == 0;
}

/*
 * inode_permission() of fs/namei.c denies writing if an id of the inode has no mapping in the mount
 * or filesystem: in the initial user namespace, each other id has a number. Anywhere, capabilities
 * count only if both ids have a number in the process's namespace (privileged_wrt_inode_uidgid()):
 * they do if an access is allowed that the mode bits do not grant. The group bits limit the named
 * entries of an ACL.
 */
static bool are_real(const struct ids_real *i, int dirfd, const char *name, const struct meta *m)
{
	const unsigned all = m->uid == i->euid ? 0111 : 0011;
	const bool write = allows(dirfd, name, W_OK);

	if (write && i->initial)
		return true;
	if (!is_generic(dirfd))
		return false;
	return (write && !(m->mode & all * W_OK)) ||
		(!(m->mode & all * R_OK) && allows(dirfd, name, R_OK));
}

unsigned ids_real_doubt(const struct ids_real *i, int dirfd, const char *name, const struct meta *m)
{
	const unsigned shown = (m->known & META_UID && m->uid == i->overflow_uid ? META_UID : 0U) |
		(m->known & META_GID && m->gid == i->overflow_gid ? META_GID : 0U);

	return shown && !are_real(i, dirfd, name, m) ? shown : 0;
}
