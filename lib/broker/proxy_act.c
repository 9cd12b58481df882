/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The requests of the proxy, performed with the caller's credentials. */

#include "proxy_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/sys.h"
#include "../idmap/override_stat.h"

/*
 * Resolve a path as the caller would, but refuse magic links (ELOOP): /proc/self is the proxy here,
 * so they would lead to its own open files, or to those of a process other than the caller.
 */
static int open_path(const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_NO_MAGICLINKS };

	return sys_openat2(AT_FDCWD, path, &how);
}

/* May the caller create name in the directory? Checks in the order of mknod(2). */
static int check_create(int dir, const char *name, bool slash)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return EEXIST;
	if (errno != ENOENT)
		return errno;
	if (slash)
		return ENOENT; /* "name/" can only be created as a directory */
	return faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) < 0 ? errno : 0;
}

/* Open the directory of path's last component if the caller may create that there. */
static int open_parent(char *path, int *ret_fd)
{
	size_t n = strlen(path);
	char *name;
	bool slash = false;
	int fd, num;

	for (; n > 1 && path[n - 1] == '/'; slash = true)
		path[--n] = '\0';
	name = strrchr(path, '/');
	if (n == 0 || (n == 1 && *path == '/'))
		return n ? EEXIST : ENOENT;
	if (name && name != path)
		*name = '\0';
	fd = open_path(!name ? "." : name == path ? "/" : path, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return errno;
	num = check_create(fd, name ? name + 1 : path, slash);
	if (num)
		(void)close(fd);
	else
		*ret_fd = fd;
	return num;
}

/*
 * Open a file to store the xattr. Only regular files and directories are opened: opening a FIFO or
 * a device could block or have side effects.
 */
static int open_plain(const char *path, uint64_t flags)
{
	struct stat st;
	int fd;

	if (fstatat(AT_FDCWD, path, &st, (int)flags) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -ENODATA;
	fd = open_path(path,
		O_RDONLY | O_NONBLOCK | O_NOCTTY | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0));
	return fd < 0 ? -errno : fd;
}

/*
 * Read the record of the file, or if it has none its owner, for the id that the call leaves
 * unchanged; also the type field, which another tool may have set (a device).
 */
static int read_record(int fd, struct record *ret)
{
	char text[RECORD_MAX];
	struct stat st;
	ssize_t n = fgetxattr(fd, RECORD_XATTR, text, sizeof(text));

	if (fstat(fd, &st) < 0)
		return errno;
	if (n < 0 || record_parse(text, (size_t)n, ret) < 0)
		*ret = (struct record){ .uid = st.st_uid, .gid = st.st_gid };
	ret->mode = st.st_mode & 07777;
	return 0;
}

static int record(const struct proxy_message *m, const char *path, int file)
{
	struct record rec;
	char text[RECORD_MAX];
	int fd, num;

	fd = m->flags & AT_EMPTY_PATH ? file : open_plain(path, m->flags);
	if (fd < 0)
		return -fd;
	if (m->op == PROXY_RENEW && fgetxattr(fd, RECORD_XATTR, NULL, 0) < 0) {
		if (fd != file)
			(void)close(fd);
		return 0;
	}
	num = read_record(fd, &rec);
	if (!num)
		(void)snprintf(text, sizeof(text), "%u:%u:%04o%s%s",
			m->uid == UINT32_MAX ? rec.uid : m->uid,
			m->gid == UINT32_MAX ? rec.gid : m->gid, rec.mode, *rec.type ? ":" : "",
			rec.type);
	if (!num && fsetxattr(fd, RECORD_XATTR, text, strlen(text), 0) < 0)
		num = errno == EOPNOTSUPP || errno == EPERM || errno == ENOSPC || errno == EBADF ?
			ENODATA :
			errno;
	if (fd != file)
		(void)close(fd);
	return num;
}

/*
 * Does the path exist, and without magic links (open_path())? The path may change after this check,
 * but the proxy has the caller's credentials: it still leads to nothing that the caller could not
 * reach.
 */
static int check_path(const char *path, int nofollow)
{
	int fd = open_path(path, O_PATH | nofollow);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

int proxy_act(
	const struct proxy_message *m, char *const strings[PROXY_STRINGS], int dir, int *ret_fd)
{
	int num;

	switch (m->op) {
	case PROXY_PARENT:
		return open_parent(strings[0], ret_fd);
	case PROXY_TARGET:
		*ret_fd = open_path(
			strings[0], O_PATH | (m->flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0));
		return *ret_fd < 0 ? errno : 0;
	case PROXY_UMOUNT:
		num = check_path(strings[0], m->flags & SYS_UMOUNT_NOFOLLOW ? O_NOFOLLOW : 0);
		return num ? num : sys_umount2(strings[0], (int)m->flags) < 0 ? errno : 0;
	case PROXY_MOUNT:
		num = check_path(strings[0], 0);
		return num ? num :
			sys_mount(strings[1], strings[0], strings[2], m->flags, strings[3]) < 0 ?
			     errno :
			     0;
	case PROXY_RECORD:
	case PROXY_RENEW:
		return record(m, strings[0], dir);
	}
	return EBADMSG;
}
