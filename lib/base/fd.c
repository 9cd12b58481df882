/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fd: files by descriptor. */

#include "fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys.h"
#include "vec.h"

int fd_open_dir(int dirfd, const char *path, int *ret_fd, struct err *e)
{
	scoped_fd int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, errno, path, "cannot open the directory");

	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int refuse_type(mode_t mode, const char *path, struct err *e)
{
	static const struct { mode_t type; const char *name; } names[] = {
		{ S_IFDIR, "a directory" }, { S_IFIFO, "a FIFO" }, { S_IFCHR, "a character device" },
		{ S_IFBLK, "a block device" }, { S_IFSOCK, "a socket" }, { S_IFLNK, "a symbolic link" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if ((mode & S_IFMT) == names[i].type)
			return err_say(e, S_ISDIR(mode) ? EISDIR : EINVAL, path, "is %s, not a regular file", names[i].name);
	return err_say(e, EINVAL, path, "is not a regular file");
}

int fd_open_regular(int dirfd, const char *path, int flags, int *ret_fd, struct err *e)
{
	/* O_NONBLOCK: opening a FIFO for reading returns at once and is then refused. */
	scoped_fd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
	struct stat st;

	if (fd < 0)
		return err_set(e, errno, path, "cannot open the file");
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, path, "cannot stat the file");
	if (!S_ISREG(st.st_mode))
		return refuse_type(st.st_mode, path, e);

	*ret_fd = TAKE_FD(fd);
	return 0;
}

int fd_open_beneath(int dirfd, const char *path, int flags, int *ret_fd, struct err *e)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	scoped_fd int fd = sys_openat2(dirfd, path, &how);

	if (fd < 0)
		return err_set(e, errno, path, "cannot open");

	*ret_fd = TAKE_FD(fd);
	return 0;
}

int fd_read_all(int fd, const char *name, size_t max, struct buf *ret, struct err *e)
{
	size_t total = 0;
	char chunk[16384];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, name, "cannot read the file");
		if (n == 0)
			break;
		if ((size_t)n > max - total)
			return err_say(e, EFBIG, name, "is larger than %zu bytes", max);
		buf_add(ret, chunk, (size_t)n);
		total += (size_t)n;
	}
	if (!buf_get(ret))
		return err_nomem(e);
	return 0;
}

int fd_read_file(int dirfd, const char *path, size_t max, struct buf *ret, struct err *e)
{
	scoped_fd int fd = -1;
	int r;

	r = fd_open_regular(dirfd, path, 0, &fd, e);
	if (r < 0)
		return r;
	return fd_read_all(fd, path, max, ret, e);
}

int fd_write_all(int fd, const void *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		p = (const char *)p + w;
		n -= (size_t)w;
	}
	return 0;
}

int fd_write_file(int dirfd, const char *path, mode_t mode, const void *p, size_t n, struct err *e)
{
	scoped_fd int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return err_set(e, errno, path, "cannot create the file");
	r = fd_write_all(fd, p, n);
	if (r < 0)
		return err_set(e, -r, path, "cannot write the file");
	r = fd_sync(fd, path, e);
	if (r < 0)
		return r;
	return fd_finish(&fd, path, e);
}

int fd_finish(int *fd, const char *name, struct err *e)
{
	int r = close(TAKE_FD(*fd));

	/* EINTR from close(2) on Linux: the descriptor is gone and nothing is known to be lost. */
	if (r < 0 && errno != EINTR)
		return err_set(e, errno, name, "cannot finish writing the file");
	return 0;
}

int fd_sync(int fd, const char *name, struct err *e)
{
	if (fsync(fd) < 0)
		return err_set(e, errno, name, "cannot write the file to disk");
	return 0;
}

/* Remove the entry: 1 when it is a directory that has something in it, 0 when it is gone, -errno. */
static int remove_one(int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return 1;
	return -errno;
}

/* Empty the open directory as far as files and empty directories go; ret_name: one that is not empty, or "". */
static int remove_entries(DIR *dir, char ret_name[static 256])
{
	struct dirent *d;

	ret_name[0] = '\0';
	rewinddir(dir);
	for (;;) {
		int r;

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

static int open_listed(int dirfd, const char *name, DIR **ret)
{
	scoped_fd int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	/* A mode that forbids listing is in the way only of those without CAP_DAC_OVERRIDE. */
	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	*ret = fdopendir(fd);
	if (!*ret)
		return -errno;

	(void)TAKE_FD(fd);
	return 0;
}

static int same_mount_only(int dirfd, const char *name)
{
	struct statx stx;

	if (statx(dirfd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &stx) < 0)
		return -errno;
	return stx.stx_attributes & STATX_ATTR_MOUNT_ROOT ? -EBUSY : 0;
}

int fd_remove_tree(int top, const char *name, struct err *e)
{
	VEC(DIR *) stack = { 0 };
	char next[256];
	DIR *dir;
	int r;

	/*
	 * Depth-first with the open directories on a stack of our own. When descriptors run out the
	 * tree is deeper than a sane one: closing the oldest would mean resolving "..", so instead a
	 * deep directory is moved up to the top and removed there.
	 */
	r = remove_one(top, name);
	if (r > 0) {
		r = same_mount_only(top, name);
		if (r == 0)
			r = open_listed(top, name, &dir);
		if (r == 0 && VEC_ADD(&stack, dir) < 0) {
			(void)closedir(dir);
			r = -ENOMEM;
		}
	}
	while (r == 0 && stack.len) {
		dir = stack.items[stack.len - 1];
		r = remove_entries(dir, next);
		if (r < 0)
			break;
		if (!next[0]) {
			(void)closedir(dir);
			stack.len--;
			continue;
		}
		r = same_mount_only(dirfd(dir), next);
		if (r < 0)
			break;
		if (stack.len >= 64) {
			static unsigned long moved;
			char up[64];

			(void)snprintf(up, sizeof(up), ".shiftbox-deep-%lu", __atomic_add_fetch(&moved, 1, __ATOMIC_RELAXED));
			if (renameat(dirfd(dir), next, dirfd(stack.items[0]), up) < 0)
				r = -errno;
			continue;
		}
		r = open_listed(dirfd(dir), next, &dir);
		if (r == 0 && VEC_ADD(&stack, dir) < 0) {
			(void)closedir(dir);
			r = -ENOMEM;
		}
	}
	while (stack.len)
		(void)closedir(stack.items[--stack.len]);
	VEC_DONE(&stack);

	if (r == 0 && unlinkat(top, name, AT_REMOVEDIR) < 0 && errno != ENOENT && errno != ENOTDIR)
		r = -errno;
	if (r == -EBUSY)
		(void)err_set(e, EBUSY, name, "cannot remove: something is mounted below it");
	else if (r < 0)
		(void)err_set(e, -r, name, "cannot remove");
	return r;
}

const char *fd_proc_path(int fd, char buf[static 32])
{
	(void)snprintf(buf, 32, "/proc/self/fd/%d", fd); /* fits: 14 + 10 digits */
	return buf;
}

int fd_make_dirs(const char *path, mode_t mode, struct err *e)
{
	scoped_free char *copy = strdup(path);

	if (!copy)
		return err_nomem(e);

	for (char *p = copy + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return err_set(e, errno, copy, "cannot create the directory");
		*p = '/';
	}
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_set(e, errno, path, "cannot create the directory");
	return 0;
}
