/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fd_remove: remove a tree of any depth and with any modes. */

#include "fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stop.h"
#include "sys.h"

/*
 * The open directories, from the top down. A tree may be deeper than the limit of open files, and
 * ".." could lead elsewhere by the time it is resolved. So a directory below DEPTH_MAX is first
 * moved up, into the top directory.
 */
enum { DEPTH_MAX = 64 };

struct removal {
	DIR *stack[DEPTH_MAX];
	size_t depth;
	unsigned long moved; /* the number in the name of the last directory that was moved */
};

/* Remove an entry. Returns 0 if it is gone, 1 if it is a directory that is not empty, or -errno. */
static int remove_one(int dirfd, const char *name)
{
	int num;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	num = errno;
	if (num != EISDIR && num != EPERM)
		return -num;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return 1;
	return errno == ENOTDIR ? -num : -errno;
}

/*
 * Remove the files and empty directories of an open directory. Stops at a directory that is not
 * empty: ret_name becomes its name, otherwise "".
 */
static int remove_entries(DIR *dir, char ret_name[static 256])
{
	struct dirent *d;

	ret_name[0] = '\0';
	rewinddir(dir);
	for (;;) {
		int r;

		if (stop_hurried())
			return -ECANCELED;
		errno = 0;
		d = readdir(dir);
		if (!d)
			return -errno;
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		r = remove_one(dirfd(dir), d->d_name);
		if (r < 0)
			return r;
		if (r > 0) {
			memcpy(ret_name, d->d_name, strlen(d->d_name) + 1);
			return 0;
		}
	}
}

/* Give the owner all permissions of the directory, which is not a symlink. */
static void unlock(int dirfd, const char *name)
{
	scoped_fd int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[32];

	if (fd >= 0)
		(void)chmod(fd_proc_path(fd, path),
			0700); /* a failure shows in the operation that needs it */
}

/* Open a directory that is not a mount point. resolve: flags of openat2(2). */
static int open_listed(int dirfd, const char *name, uint64_t resolve, DIR **ret)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = resolve };
	scoped_fd int fd = sys_openat2(dirfd, name, &how);

	/* The mode matters only without CAP_DAC_OVERRIDE. */
	if (fd < 0 && errno == EACCES) {
		unlock(dirfd, name);
		fd = sys_openat2(dirfd, name, &how);
	}
	if (fd < 0)
		return errno == EXDEV ? -EBUSY : -errno;

	*ret = fdopendir(fd);
	if (!*ret)
		return -errno;

	(void)TAKE_FD(fd);
	return 0;
}

/* The path to the top may cross mount points, but the top must not be one. */
static int open_top(int dirfd, const char *name, DIR **ret)
{
	struct statx stx;

	if (statx(dirfd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &stx) < 0)
		return -errno;
	if (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return -EBUSY;
	return open_listed(dirfd, name, 0, ret);
}

/* Move a deep directory into the top directory, to a name that is free there. */
static int move_up(struct removal *rm, int dirfd_, const char *name)
{
	char up[64];

	for (bool unlocked = false;;) {
		(void)snprintf(up, sizeof(up), ".shiftbox-deep-%lu",
			++rm->moved); /* fits: 15 + 20 digits */
		if (renameat2(dirfd_, name, dirfd(rm->stack[0]), up, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno == EEXIST)
			continue;
		if (errno != EACCES || unlocked)
			return -errno;
		/* Moving changes its "..", so the directory itself must be writable. */
		unlock(dirfd_, name);
		unlocked = true;
	}
}

/* Do one step: empty the deepest open directory, or open (or move up) a directory in it. */
static int step(struct removal *rm)
{
	DIR *dir = rm->stack[rm->depth - 1];
	char name[256];
	int r = remove_entries(dir, name);

	if (r == -EACCES && fchmod(dirfd(dir), 0700) == 0)
		r = remove_entries(dir, name);
	if (r < 0)
		return r;
	if (!name[0]) {
		(void)closedir(dir); /* only read */
		rm->depth--;
		return 0;
	}
	if (rm->depth == DEPTH_MAX)
		return move_up(rm, dirfd(dir), name);
	r = open_listed(dirfd(dir), name, RESOLVE_NO_XDEV, &rm->stack[rm->depth]);
	if (r == 0)
		rm->depth++;
	return r;
}

static int told(int r, const char *name, struct err *e)
{
	if (r == -ECANCELED)
		return err_say(
			e, ECANCELED, name, "cannot be removed, since the program must end now");
	if (r == -EBUSY)
		return err_set(
			e, EBUSY, name, "cannot remove: something is mounted on it or below it");
	return err_set(e, -r, name, "cannot remove");
}

/* Remove everything below the open directory top, then name. */
static int remove_below(int dirfd, const char *name, DIR *top, struct err *e)
{
	struct removal rm = { .stack = { top }, .depth = 1 };
	int r = 0;

	while (r == 0 && rm.depth)
		r = step(&rm);
	while (rm.depth)
		(void)closedir(rm.stack[--rm.depth]); /* only read */
	if (r == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		r = -errno;
	return r == 0 ? 0 : told(r, name, e);
}

int fd_remove_tree(int dirfd, const char *name, struct err *e)
{
	DIR *top = NULL;
	int r = remove_one(dirfd, name);

	if (r > 0)
		r = open_top(dirfd, name, &top);
	else if (r == 0)
		return 0;
	return r < 0 ? told(r, name, e) : remove_below(dirfd, name, top, e);
}

int fd_remove_opened(int dirfd, const char *name, int fd, struct err *e)
{
	DIR *top;
	int r = open_listed(fd, ".", 0, &top);

	return r < 0 ? told(r, name, e) : remove_below(dirfd, name, top, e);
}
