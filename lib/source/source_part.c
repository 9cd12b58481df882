/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* source_part: open and read the files of an image, in a directory or in an archive. */

#include "source_part.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/json.h"
#include "../base/path.h"
#include "../base/plural.h"
#include "../tar/blob.h"
#include "image_archive.h"

/* Name the file by its whole path, if a directory on the way is closed: then that can be named. */
static void name_whole(int dirfd, const char *name, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT, closed = BUF_INIT;

	path_of_fd(dirfd, &path);
	buf_printf(&path, "/%s", name);
	if (!buf_get(&path) || *path.data != '/' || !path_closed(path.data, &closed))
		return;
	(void)err_path(e, EACCES, path.data, "cannot open");
}

/* Open a regular file without following a symbolic link and without blocking on a FIFO. */
static int open_inside(int dirfd, const char *name, struct source_part *ret, struct err *e)
{
	scoped_fd int fd = -1;
	struct stat st;
	int r;

	r = fd_open_beneath(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd, e);
	if (r == -ELOOP)
		err_why(e,
			"there is a symbolic link in its path, and links inside an image are not "
			"followed");
	if (r == -EACCES)
		name_whole(dirfd, name, e);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, name, "cannot stat the file");
	if (!S_ISREG(st.st_mode))
		return err_say(e, EINVAL, name, "is not a regular file");

	*ret = (struct source_part){ .size = (uint64_t)st.st_size, .fd = TAKE_FD(fd) };
	return 0;
}

int source_part_open(
	const struct source *s, const char *name, struct source_part *ret, struct err *e)
{
	struct source_part p = SOURCE_PART_INIT;
	int r;

	if (!s->archive)
		return open_inside(s->dirfd, name, ret, e);
	r = image_archive_find(s->archive, name, &p.offset, &p.size, e);
	if (r < 0)
		return r;
	p.fd = fcntl(image_archive_fd(s->archive), F_DUPFD_CLOEXEC, 3);
	if (p.fd < 0)
		return err_set(e, errno, name, "cannot open the archive again");

	*ret = p;
	return 0;
}

int source_part_read(
	const struct source_part *p, const char *name, size_t max, struct buf *ret, struct err *e)
{
	uint64_t at = 0;
	char chunk[16384];

	if (p->size > max)
		return err_say(e, EFBIG, name, "is larger than %zu bytes", max);
	while (at < p->size) {
		size_t want = p->size - at < sizeof(chunk) ? (size_t)(p->size - at) : sizeof(chunk);
		ssize_t n = pread(p->fd, chunk, want, (off_t)(p->offset + at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, name, "cannot read the file");
		if (n == 0)
			return err_say(e, EBADMSG, name, "became shorter while it was read");
		buf_add(ret, chunk, (size_t)n);
		at += (size_t)n;
	}
	return buf_get(ret) ? 0 : err_nomem(e);
}

int source_part_read_file(
	const struct source *s, const char *name, size_t max, struct buf *ret, struct err *e)
{
	scoped_source_part struct source_part p = SOURCE_PART_INIT;
	int r = source_part_open(s, name, &p, e);

	return r < 0 ? r : source_part_read(&p, name, max, ret, e);
}

int source_part_open_blob(const struct source *s, const char *name, uint64_t size,
	struct source_part *ret, struct err *e)
{
	scoped_source_part struct source_part p = SOURCE_PART_INIT;
	int r = source_part_open(s, name, &p, e);

	if (r == -ENOENT) {
		(void)err_say(e, ENOENT, name, "the blob is missing");
		err_try(e, "fetch the image again, with all its layers: this copy is incomplete");
	}
	if (r == 0 && p.size != size)
		r = err_say(e, EBADMSG, name, "the blob has %llu %s, its descriptor says %llu",
			(unsigned long long)p.size, plural(p.size, "byte", "bytes"),
			(unsigned long long)size);
	if (r < 0) {
		blob_say_try(r, e);
		return r;
	}

	*ret = p;
	p.fd = -1;
	return 0;
}

int source_part_read_blob(const struct source *s, const char *name, const struct digest *digest,
	uint64_t size, struct buf *ret, struct err *e)
{
	scoped_source_part struct source_part p = SOURCE_PART_INIT;
	char text[DIGEST_TEXT];
	struct digest is;
	int r;

	(void)digest_text(digest, text);
	if (size > JSON_MAX_BYTES)
		return err_say(e, EFBIG, text, "the document has %llu bytes, and %d are the limit",
			(unsigned long long)size, (int)JSON_MAX_BYTES);
	r = source_part_open_blob(s, name, size, &p, e);
	if (r == 0)
		r = source_part_read(&p, text, (size_t)size, ret, e);
	if (r < 0)
		return r;

	hash_bytes_as(digest->algorithm, buf_get(ret), ret->len, &is);
	if (digest_equal(&is, digest))
		return 0;
	r = err_say(e, EBADMSG, text, "the document is not what its digest says");
	err_why(e, "its content is %s", digest_text(&is, text));
	return r;
}

void source_part_give(struct source_part *p, int *ret_fd, uint64_t *ret_offset)
{
	*ret_offset = p->offset;
	*ret_fd = TAKE_FD(p->fd);
}

int source_layers_alloc(struct source *s, size_t n, const char *doc, struct err *e)
{
	if (!n)
		return err_say(e, EINVAL, doc,
			"the image has no layers: there is nothing to unpack, and nothing to "
			"mount");
	s->layers = calloc(n, sizeof(*s->layers));
	return s->layers ? 0 : err_nomem(e);
}
