/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_conf_file: read and replace a file of settings, as its user. */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "../base/toml.h"
#include "podman_conf_priv.h"

int podman_conf_read(const char *path, struct buf *ret, struct stat *ret_st, struct err *e)
{
	struct err own = ERR_INIT;
	scoped_fd int fd = -1;
	int r = path_open_regular(path, &fd, &own);

	if (r == -ENOENT)
		return 0;
	if (r == 0 && fstat(fd, ret_st) < 0)
		r = err_set(&own, errno, path, "cannot stat the file");
	if (r == 0)
		r = fd_read_all(fd, path, TOML_MAX_BYTES, ret, &own);
	if (r < 0 && e)
		*e = own;
	return r < 0 ? r : 1;
}

static int refuse(const char *path, const char *what, struct err *e)
{
	(void)err_say(e, EINVAL, path, "%s, so it is not replaced", what);
	err_try(e, "print the text (omit --write), and put it where it belongs");
	return -EINVAL;
}

static bool is_unchanged(const struct stat *is, const struct stat *was)
{
	return same_file(is, was) && is->st_size == was->st_size &&
		is->st_mtim.tv_sec == was->st_mtim.tv_sec &&
		is->st_mtim.tv_nsec == was->st_mtim.tv_nsec;
}

/* Is the file still the one that was read, and can another one take its place without loss? */
static int check_old(
	int dirfd, const char *name, const char *path, const struct stat *old, struct err *e)
{
	struct stat st;
	const bool exists = fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;

	if (!exists && errno != ENOENT)
		return err_set(e, errno, path, "cannot stat the file");
	if (exists && !S_ISREG(st.st_mode))
		return refuse(path,
			S_ISLNK(st.st_mode) ? "is a symbolic link" : "is not a regular file", e);
	if (exists != !!old || (exists && !is_unchanged(&st, old))) {
		(void)err_say(e, EBUSY, path, "was changed by another process meanwhile");
		err_try(e, "run this command again");
		return -EBUSY;
	}
	return exists && st.st_nlink > 1 ? refuse(path, "has another name (a hard link)", e) : 0;
}

/* A new file belongs to its creator. */
static int check_owner(int fd, const char *path, const struct stat *old, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, path, "cannot stat the new file");
	if (st.st_uid == old->st_uid && st.st_gid == old->st_gid)
		return 0;
	(void)err_say(e, EINVAL, path,
		"belongs to %u:%u, and a new file would belong to %u:%u, so it is not replaced",
		old->st_uid, old->st_gid, st.st_uid, st.st_gid);
	err_try(e, "print the text (omit --write), and put it where it belongs");
	return -EINVAL;
}

static int put(int *fd, const char *temp, const struct buf *text, mode_t mode, struct err *e)
{
	int r = fd_write_all(*fd, buf_get(text), text->len);

	if (r == 0 && fchmod(*fd, mode) < 0)
		r = -errno;
	if (r < 0)
		return err_set(e, -r, temp, "cannot write the file");
	r = fd_sync(*fd, temp, e);
	return r == 0 ? fd_finish(fd, temp, e) : r;
}

static int read_back(int dirfd, const char *name, const struct buf *text, struct err *e)
{
	scoped_buf struct buf is = BUF_INIT;
	scoped_fd int fd = -1;
	int r = fd_open_regular(dirfd, name, O_NOFOLLOW, &fd, e);

	if (r == 0)
		r = fd_read_all(fd, name, TOML_MAX_BYTES + (64 << 10), &is, e);
	if (r == 0 && (is.len != text->len || memcmp(buf_get(&is), buf_get(text), is.len) != 0))
		r = err_say(e, EIO, name, "does not contain what was written");
	return r;
}

struct place_of_conf {
	int dirfd;
	const char *path, *name;
	const struct stat *old;
};

static int replace(const struct place_of_conf *p, const struct buf *text, struct err *e)
{
	scoped_fd int fd = -1;
	char temp[64];
	int r;

	(void)snprintf(temp, sizeof(temp), ".storage.conf.%d", (int)getpid()); /* fits */
	fd = openat(p->dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, errno, temp, "cannot create the file");
	r = p->old ? check_owner(fd, p->path, p->old, e) : 0;
	if (r == 0)
		r = put(&fd, temp, text, p->old ? p->old->st_mode & 0777 : 0644, e);
	if (r == 0)
		r = check_old(p->dirfd, p->name, p->path, p->old, e);
	if (r == 0 && renameat(p->dirfd, temp, p->dirfd, p->name) < 0)
		r = err_set(e, errno, p->path, "cannot replace the file");
	if (r < 0)
		(void)unlinkat(p->dirfd, temp, 0); /* the first error is reported */
	return r;
}

int podman_conf_write(
	const char *path, const struct buf *text, const struct stat *old, struct err *e)
{
	const char *slash = strrchr(path, '/');
	scoped_free char *dir = strndup(path, (size_t)(slash - path));
	struct place_of_conf p = { .path = path, .name = slash + 1, .old = old };
	scoped_fd int fd = -1;
	int r;

	if (!dir)
		return err_nomem(e);
	r = path_make_dir(dir, 0700, "cannot open or create the directory of the file", &fd, e);
	p.dirfd = fd;
	if (r == 0)
		r = check_old(fd, p.name, path, old, e);
	if (r == 0)
		r = replace(&p, text, e);
	if (r == 0)
		r = fd_sync(fd, dir, e);
	return r == 0 ? read_back(fd, p.name, text, e) : r;
}
