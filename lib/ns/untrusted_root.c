/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open and create files below a root directory whose content is not trusted. */

#include "untrusted_root.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/sys.h"

static int open_in(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return sys_openat2(root, path, &how);
}

static int cannot(const char *path, const char *what, struct err *e)
{
	int r = err_set(e, errno, path, "cannot %s in the root of the command", what);

	err_op(e, "inroot");
	if (r == -EROFS)
		err_why(e, "it is not there, and the root is read-only");
	else if (r == -EOVERFLOW)
		err_why(e, "the map has no id for the owner of its parent directory");
	if (!strncmp(what, "create", strlen("create")))
		err_try(e,
			r == -ENOENT ? "name another place: a filesystem such as proc takes no new "
				       "directories" :
				       "create it there first");
	else if (r == -EACCES)
		err_try(e,
			"give root of the namespace search permission on the whole path; "
			"namei -l shows the permissions");
	return r;
}

/*
 * Open the directory path below root. If it does not exist, create its last component, name, in
 * parent, the directory above it, and open it there without following symbolic links.
 */
static int make_dir(
	int root, int parent, const char *path, const char *name, int *ret_fd, struct err *e)
{
	*ret_fd = open_in(root, path, O_PATH | O_DIRECTORY);
	if (*ret_fd >= 0)
		return 0;
	if (errno != ENOENT)
		return cannot(path, "open a directory", e);
	if (mkdirat(parent, name, 0755) < 0) /* EEXIST: a dangling symbolic link */
		return cannot(path, "create a directory", e);
	return fd_open_beneath(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, ret_fd, e);
}

/* Open the parent directory of path, creating what is missing. *ret_name points into path. */
static int open_parent(int root, char *path, int *ret_fd, const char **ret_name, struct err *e)
{
	scoped_fd int dir = open_in(root, "/", O_PATH | O_DIRECTORY);
	char *p = path + strspn(path, "/");

	while (dir >= 0) {
		char *slash = strchr(p, '/');
		int next, r;

		if (!slash) {
			*ret_name = p;
			*ret_fd = TAKE_FD(dir);
			return 0;
		}
		*slash = '\0';
		r = make_dir(root, dir, path, p, &next, e);
		if (r < 0)
			return r;
		*slash = '/';
		p = slash + 1 + strspn(slash + 1, "/");
		cleanup_fd(&dir);
		dir = next;
	}
	return cannot("/", "open a directory", e);
}

static int dot_in_path(const char *path, struct err *e)
{
	(void)err_say(
		e, EINVAL, path, "a path in the root of the command must not contain '.' or '..'");
	err_try(e, "write the path that it leads to, without them");
	return -EINVAL;
}

static int check_path(const char *path, struct err *e)
{
	if (*path != '/')
		return err_say(
			e, EINVAL, path, "a path in the root of the command must begin with '/'");
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");

		if ((n == 1 && *p == '.') || (n == 2 && !strncmp(p, "..", 2)))
			return dot_in_path(path, e);
		p += n + !!p[n];
	}
	return 0;
}

int untrusted_root_place(int root, const char *path, bool dir, int *ret_fd, struct err *e)
{
	scoped_free char *copy = strdup(path);
	scoped_fd int parent = -1, fd = -1;
	const char *name = NULL;
	struct stat st;
	int r = copy ? check_path(path, e) : err_nomem(e);

	for (size_t n = r == 0 ? strlen(copy) : 0; n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	if (r == 0 && !copy[strspn(copy, "/")]) {
		r = err_say(e, EINVAL, path, "is the root of the command itself");
		err_try(e, "name a path below it; -r DIR makes a directory the root");
	}
	if (r == 0)
		r = open_parent(root, copy, &parent, &name, e);
	if (r < 0)
		return r;

	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		int made = dir ?
			mkdirat(parent, name, 0755) :
			openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				0644);

		if (made < 0)
			return cannot(path, dir ? "create a directory" : "create a file", e);
		if (!dir)
			(void)close(made); /* cannot lose data: the file is empty */
		fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return cannot(path, "open a mount point", e);
	if (dir != S_ISDIR(st.st_mode)) {
		(void)err_set(e, dir ? ENOTDIR : EISDIR, path,
			"cannot mount on this path in the root of the command");
		if (S_ISLNK(st.st_mode))
			err_why(e, "it is a symbolic link, which is not followed");
		else
			err_why(e, "a directory is mounted on directories only, a file on files");
		err_try(e, "name a path there that is %s, or does not exist yet",
			dir ? "a directory" : "a file");
		return dir ? -ENOTDIR : -EISDIR;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int untrusted_root_read(int root, const char *path, size_t max, struct buf *ret, struct err *e)
{
	scoped_fd int fd = open_in(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return cannot(path, "read a file", e);
	if (!S_ISREG(st.st_mode))
		return err_say(e, EINVAL, path, "is not a regular file in the root of the command");
	return fd_read_all(fd, path, max, ret, e);
}
