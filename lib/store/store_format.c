/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store_format: the number of a store's format. The file holds "NUMBER VERSION": VERSION is the
 * first one of this program that knows the format. Stores that older versions made have the first
 * format, and no file. In the second format, layers/NAME may be a link (mount/stored_layer.h),
 * which a program that knows the first one alone would take for a damaged layer.
 */

#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/num.h"
#include "store_dir.h"

#define FILE_NAME "format"
#define FILE_NEW "tmp/format"

enum { FORMAT = 2, TEXT_MAX = 4096, VERSION_MAX = 32 };

/* Each format, and the version that introduced it. */
#define TEXT_PLAIN "1 0.1.0\n"
#define TEXT_LINKS "2 0.1.0\n"

/* The length of the version at text, or 0 if there is none. */
static size_t version_length(const char *text)
{
	static const char ok[] =
		"0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+~-";
	size_t n = strspn(text, ok);

	return n <= VERSION_MAX && (!text[n] || text[n] == ' ' || text[n] == '\n') ? n : 0;
}

static int refuse_newer(const struct store *s, uint64_t format, const char *version, struct err *e)
{
	size_t n = version_length(version);

	(void)err_say(e, EPROTONOSUPPORT, s->path,
		"the store has the format %llu, and this version (%s) knows formats up to %d",
		(unsigned long long)format, VERSION, FORMAT);
	err_op(e, "format");
	err_why(e, "a newer version made or changed the store");
	if (n)
		err_try(e, "use shiftbox %.*s or newer, or name another store with --store", (int)n,
			version);
	else
		err_try(e, "use a newer version of shiftbox, or name another store with --store");
	return -EPROTONOSUPPORT;
}

static int refuse_damaged(const struct store *s, struct err *e)
{
	(void)err_say(e, EBADMSG, s->path, "the file '%s' of the store is damaged", FILE_NAME);
	err_op(e, "format");
	err_why(e, "it must begin with the number of the store's format, as in '1 0.1.0'");
	err_try(e,
		"restore it from a backup, or unpack the images again into another store "
		"(--store): this store may be one of a newer version");
	return -EBADMSG;
}

int store_format_check(struct store *s, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	uint64_t format = 0;
	size_t digits;
	int r = store_read_file(s, FILE_NAME, TEXT_MAX, &b, e);

	s->links = false;
	if (r <= 0)
		return r;
	if (!b.len || !buf_get(&b))
		return b.len ? err_nomem(e) : 0; /* its process was killed before it wrote it */
	digits = strspn(b.data, "0123456789");
	if (num_u64_n(b.data, digits, &format) < 0 || !format ||
		(b.data[digits] != ' ' && b.data[digits] != '\n'))
		return refuse_damaged(s, e);
	s->links = format == FORMAT;
	if (format <= FORMAT)
		return 0;
	return refuse_newer(s, format, b.data[digits] == ' ' ? b.data + digits + 1 : "", e);
}

/* The file appears with its content. -EOPNOTSUPP and the like: the filesystem cannot do that. */
static int link_file(const struct store *s, mode_t mode)
{
	scoped_fd int fd = openat(s->fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
	char path[32];
	int r = fd < 0 ? -errno : fd_write_all(fd, TEXT_PLAIN, strlen(TEXT_PLAIN));

	if (r == 0 &&
		linkat(AT_FDCWD, fd_proc_path(fd, path), s->fd, FILE_NAME, AT_SYMLINK_FOLLOW) < 0)
		r = -errno;
	return r;
}

int store_format_write(const struct store *s, struct err *e)
{
	mode_t mode = s->base.count ? 0644 : 0600;
	int r = link_file(s, mode);

	if (r == 0 || r == -EEXIST)
		return 0; /* another process that makes the store has written the same */
	if (r == -ENOSPC || r == -EDQUOT || r == -EROFS)
		return err_set(e, -r, s->path, "cannot note the format of the store");
	r = fd_write_file(s->fd, FILE_NAME, mode, TEXT_PLAIN, strlen(TEXT_PLAIN), e);
	if (r != -EEXIST)
		return r;
	if (e)
		*e = ERR_INIT;
	return 0;
}

int store_format_allow_links(struct store *s, struct err *e)
{
	int r;

	if (s->links)
		return 0;
	(void)unlinkat(s->fd, FILE_NEW, 0); /* left by a killed process: the lock is held */
	r = fd_write_file(s->fd, FILE_NEW, 0600, TEXT_LINKS, strlen(TEXT_LINKS), e);
	if (r == 0 && renameat(s->fd, FILE_NEW, s->fd, FILE_NAME) < 0)
		r = err_set(e, errno, s->path, "cannot note the format of the store");
	if (r == 0)
		r = fd_sync(s->fd, s->path, e);
	s->links = r == 0;
	return r;
}
