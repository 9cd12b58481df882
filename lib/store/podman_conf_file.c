/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_conf_file: read and replace a file of settings, as its user. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "../base/toml.h"
#include "podman_conf_priv.h"

int podman_conf_read(const char *path, struct buf *ret, struct err *e)
{
	struct err own = ERR_INIT;
	scoped_fd int fd = -1;
	int r = path_open_regular(path, &fd, &own);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = fd_read_all(fd, path, TOML_MAX_BYTES, ret, &own);
	if (r < 0 && e)
		*e = own;
	return r < 0 ? r : 1;
}

/* The mode of the file that is replaced. */
static int old_mode(int dirfd, const char *name, const char *path, mode_t *ret, struct err *e)
{
	struct stat st;

	*ret = 0644;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(e, errno, path, "cannot stat the file");
	if (!S_ISREG(st.st_mode)) {
		(void)err_say(e, EINVAL, path, "is %s, which is not replaced",
			S_ISLNK(st.st_mode) ? "a symbolic link" : "not a regular file");
		err_try(e, "print the text (omit --write), and put it where it belongs");
		return -EINVAL;
	}
	*ret = st.st_mode & 0777;
	return 0;
}

static int put(int dirfd, const char *temp, mode_t mode, const struct buf *text, struct err *e)
{
	scoped_fd int fd =
		openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_set(e, errno, temp, "cannot create the file");
	r = fd_write_all(fd, buf_get(text), text->len);
	if (r == 0 && fchmod(fd, mode) < 0)
		r = -errno;
	if (r < 0)
		return err_set(e, -r, temp, "cannot write the file");
	r = fd_sync(fd, temp, e);
	return r == 0 ? fd_finish(&fd, temp, e) : r;
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

int podman_conf_write(const char *path, const struct buf *text, struct err *e)
{
	const char *slash = strrchr(path, '/'), *name = slash + 1;
	scoped_free char *dir = strndup(path, (size_t)(slash - path));
	scoped_fd int fd = -1;
	char temp[64];
	mode_t mode;
	int r;

	if (!dir)
		return err_nomem(e);
	r = path_make_dir(dir, 0700, "cannot open or create the directory of the file", &fd, e);
	if (r == 0)
		r = old_mode(fd, name, path, &mode, e);
	if (r < 0)
		return r;
	(void)snprintf(temp, sizeof(temp), ".storage.conf.%d", (int)getpid()); /* fits */
	r = put(fd, temp, mode, text, e);
	if (r == 0 && renameat(fd, temp, fd, name) < 0)
		r = err_set(e, errno, path, "cannot replace the file");
	if (r < 0) {
		(void)unlinkat(fd, temp, 0); /* if it was created */
		return r;
	}
	r = fd_sync(fd, dir, e);
	return r == 0 ? read_back(fd, name, text, e) : r;
}
