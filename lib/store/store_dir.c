/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_dir: list a directory, and read files in it. */

#include "store_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/fd.h"
#include "store_priv.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int store_dir_list(int dirfd, const char *path, struct strv *ret, struct err *e)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	struct dirent *d;
	DIR *dir;

	if (fd < 0)
		return err_set(e, errno, path, "cannot list the directory");
	dir = fdopendir(fd);
	if (!dir) {
		r = err_set(e, errno, path, "cannot list the directory");
		(void)close(fd);
		return r;
	}
	while (r == 0) {
		errno = 0;
		d = readdir(dir);
		if (!d)
			break;
		if (strcmp(d->d_name, ".") && strcmp(d->d_name, "..") &&
			strv_add(ret, d->d_name) < 0)
			r = err_nomem(e);
	}
	if (r == 0 && errno)
		r = err_set(e, errno, path, "cannot list the directory");
	(void)closedir(dir);
	if (r == 0 && ret->len)
		qsort(ret->items, ret->len, sizeof(*ret->items), by_name);
	return r;
}

int store_dir_read(int dirfd, const char *name, size_t max, struct buf *ret, struct err *e)
{
	scoped_fd int fd = -1;
	int r = fd_open_regular(dirfd, name, O_NOFOLLOW, &fd, e);

	return r < 0 ? r : fd_read_all(fd, name, max, ret, e);
}

bool store_cannot_read(int r)
{
	static const int errors[] = { EACCES, ECANCELED, EINTR, EIO, EMFILE, ENFILE, ENODEV, ENOMEM,
		EPERM, ESTALE, ETIMEDOUT, EUCLEAN };
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		found |= r == -errors[i];
	return found;
}

int store_read_file(
	const struct store *s, const char *name, size_t max, struct buf *ret, struct err *e)
{
	struct err own = ERR_INIT;
	int r = store_dir_read(s->fd, name, max, ret, &own);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		return 1;
	if (e)
		*e = own;
	err_prefix(e, "the store '%s'", s->path);
	return r;
}

int store_file_damaged(const struct store *s, const char *name, const char *why, struct err *e)
{
	(void)err_say(e, EBADMSG, s->path, "the file '%s' of the store is damaged", name);
	err_why(e, "%s", why);
	err_try(e,
		"restore it from a backup, or unpack the images again into another store "
		"(--store)");
	return -EBADMSG;
}
