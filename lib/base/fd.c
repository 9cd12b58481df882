/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fd: open, read, write and close files by descriptor. */

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys.h"

/* A path relative to a descriptor is not the caller's, so hints for "open" do not apply. */
static int cannot_open(int dirfd, const char *path, const char *what, struct err *e)
{
	int r = dirfd == AT_FDCWD ? err_path(e, errno, path, "%s", what) :
				    err_set(e, errno, path, "%s", what);

	fd_explain_lease(r, e);
	return r;
}

void fd_explain_lease(int r, struct err *e)
{
	if (r != -EWOULDBLOCK)
		return;
	err_why(e, "a process has a lease on the file");
	err_try(e, "run it again when the lease is gone: lslocks shows the process (type LEASE)");
}

int fd_open_dir(int dirfd, const char *path, int *ret_fd, struct err *e)
{
	scoped_fd int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return cannot_open(dirfd, path, "cannot open the directory", e);

	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int refuse_type(mode_t mode, const char *path, struct err *e)
{
	static const struct {
		mode_t type;
		const char *name;
	} names[] = {
		{ S_IFDIR, "a directory" },
		{ S_IFIFO, "a FIFO" },
		{ S_IFCHR, "a character device" },
		{ S_IFBLK, "a block device" },
		{ S_IFSOCK, "a socket" },
		{ S_IFLNK, "a symbolic link" },
	};
	size_t i = 0;

	while (i < ARRAY_LEN(names) && (mode & S_IFMT) != names[i].type)
		i++;
	(void)err_say(e, EINVAL, path, "is %s, not a regular file",
		i < ARRAY_LEN(names) ? names[i].name : "of another type");
	err_try(e, "specify a regular file");
	return S_ISDIR(mode) ? -EISDIR : -EINVAL;
}

int fd_check_regular(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, path, "cannot stat the file");
	return S_ISREG(st.st_mode) ? 0 : refuse_type(st.st_mode, path, e);
}

int fd_open_regular(int dirfd, const char *path, int flags, int *ret_fd, struct err *e)
{
	/* O_NONBLOCK: opening a FIFO returns at once; its type is refused below. */
	scoped_fd int fd =
		openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
	int r;

	if (fd < 0)
		return cannot_open(dirfd, path, "cannot open the file", e);
	r = fd_check_regular(fd, path, e);
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

static int cannot_open_beneath(const char *path, int flags, struct err *e)
{
	int r = err_set(e, errno, path, "cannot open");

	if (r == -EACCES)
		err_try(e,
			"run as root, or as a user who may open it: ls -l shows its permissions");
	if (flags & O_NONBLOCK)
		fd_explain_lease(r, e);
	return r;
}

int fd_open_beneath(int dirfd, const char *path, int flags, int *ret_fd, struct err *e)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	scoped_fd int fd = sys_openat2(dirfd, path, &how);

	if (fd < 0)
		return cannot_open_beneath(path, flags, e);

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
	scoped_fd int fd =
		openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
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

	/*
	 * After EINTR from close(2), Linux has closed the descriptor, and no data is known to be
	 * lost.
	 */
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

/* The lowest of the descriptors that is not below from; -1 if there is none. */
static int lowest_from(const int *fds, size_t n, int from)
{
	int low = -1;

	for (size_t i = 0; i < n; i++)
		if (fds[i] >= from && (low < 0 || fds[i] < low))
			low = fds[i];
	return low;
}

int fd_let_go(const int *keep, size_t n, int std)
{
	int all = std >= 0 ? std : open("/dev/null", O_RDWR | O_CLOEXEC), from = STDERR_FILENO + 1;

	if (all < 0)
		return -errno;
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (dup2(all, fd) < 0)
			return -errno;
	for (int low; (low = lowest_from(keep, n, from)) >= 0; from = low + 1)
		if (low > from && close_range((unsigned)from, (unsigned)low - 1, 0) < 0)
			return -errno;
	return close_range((unsigned)from, ~0U, 0) < 0 ? -errno : 0;
}

bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

const char *fd_proc_path(int fd, char buf[static 32])
{
	(void)snprintf(buf, 32, "/proc/self/fd/%d", fd); /* fits: 14 + 10 digits */
	return buf;
}

int fd_make_dir(int dirfd, const char *name, mode_t mode)
{
	mode_t mask = umask(0);
	int r = mkdirat(dirfd, name, mode), num = errno;

	(void)umask(mask); /* cannot fail */
	errno = num;
	return r;
}

bool fd_has_acl(int fd)
{
	char path[32];

	return getxattr(fd_proc_path(fd, path), "system.posix_acl_access", NULL, 0) >= 0 ||
		(errno != ENODATA && errno != EOPNOTSUPP);
}
