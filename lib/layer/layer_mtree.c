/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_mtree: write the contents of a layer as mtree(5). */

#include "layer_mtree.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/stop.h"
#include "../tar/mtree.h"
#include "../tar/whiteout.h"
#include "layer_priv.h"

struct mtree_writer {
	struct archive *a;
	struct archive_entry *ae;
	const char *name;
	int fd;
	int failed;     /* errno of a write, or 0 */
	uint64_t size;  /* bytes written */
	size_t entries; /* in the current part */
	struct buf path, out;
};

/*
 * libarchive keeps all entries in memory until it is closed. So the file is written in parts, each
 * of which is a complete specification.
 */
enum { OUT_SIZE = 256 * 1024, PART_ENTRIES = 8192 };

static int flush_out(struct mtree_writer *s)
{
	int r = fd_write_all(s->fd, s->out.data ? s->out.data : "", s->out.len);

	buf_reset(&s->out);
	s->failed = -r;
	return r;
}

static la_ssize_t write_block(struct archive *a, void *p, const void *data, size_t n)
{
	struct mtree_writer *s = p;

	buf_add(&s->out, data, n);
	s->size += n;
	if (s->out.oom || s->size > MTREE_SIZE_MAX)
		s->failed = s->out.oom ? ENOMEM : EFBIG;
	if (s->failed || (s->out.len >= OUT_SIZE && flush_out(s) < 0)) {
		archive_set_error(a, s->failed, "cannot write");
		return ARCHIVE_FATAL;
	}
	return (la_ssize_t)n;
}

static int broken(struct mtree_writer *s, struct err *e)
{
	const char *text = s->a ? archive_error_string(s->a) : NULL;

	if (s->failed == EFBIG)
		return err_say(e, EFBIG, NULL,
			"the names of the layer's entries are too long: their specification would "
			"have more than %llu bytes",
			(unsigned long long)MTREE_SIZE_MAX);
	if (s->failed)
		return err_set(e, s->failed, s->name, "cannot write the layer's specification");
	return err_say(e, EIO, s->name, "cannot write the layer's specification: %s",
		text ? text : "unknown error");
}

static int start(struct mtree_writer *s, struct err *e)
{
	s->a = archive_write_new();
	if (!s->a)
		return err_nomem(e);
	s->entries = 0;
	if (archive_write_set_format_mtree(s->a) != ARCHIVE_OK ||
		archive_write_set_options(s->a,
			"mtree:!all,mtree:type,mtree:uid,mtree:gid,mtree:mode,mtree:size,mtree:"
			"time,mtree:link,mtree:device") != ARCHIVE_OK ||
		archive_write_set_bytes_per_block(s->a, 0) != ARCHIVE_OK ||
		archive_write_open(s->a, s, NULL, write_block, NULL) != ARCHIVE_OK)
		return broken(s, e);
	return 0;
}

static int finish(struct mtree_writer *s, struct err *e)
{
	int r = archive_write_close(s->a) == ARCHIVE_OK ? 0 : broken(s, e);

	(void)archive_write_free(s->a); /* closed, or failed already */
	s->a = NULL;
	return r;
}

static int put(struct mtree_writer *s, struct err *e)
{
	int r = 0;

	if (s->entries == PART_ENTRIES)
		r = finish(s, e);
	if (r == 0 && !s->a)
		r = start(s, e);
	if (r < 0)
		return r;
	s->entries++;
	return archive_write_header(s->a, s->ae) == ARCHIVE_OK ? 0 : broken(s, e);
}

/* Begin an entry for the node's path with suffix appended. */
static int begin(struct mtree_writer *s, const struct node *n, const char *suffix, struct err *e)
{
	archive_entry_clear(s->ae);
	buf_reset(&s->path);
	buf_str(&s->path, n->parent || *suffix ? "./" : ".");
	node_path(n, &s->path);
	buf_str(&s->path, suffix);
	if (!buf_get(&s->path))
		return err_nomem(e);
	archive_entry_copy_pathname(s->ae, buf_get(&s->path));
	return 0;
}

static int put_object(struct mtree_writer *s, const struct node *n, struct err *e)
{
	int r = begin(s, n, "", e);

	if (r < 0)
		return r;
	archive_entry_set_mode(s->ae, n->mode);
	archive_entry_set_uid(s->ae, n->uid);
	archive_entry_set_gid(s->ae, n->gid);
	archive_entry_set_mtime(s->ae, n->sec, (long)n->nsec);
	if (S_ISREG(n->mode))
		archive_entry_set_size(s->ae, (la_int64_t)n->size);
	if (S_ISLNK(n->mode))
		archive_entry_copy_symlink(s->ae, n->link);
	if (S_ISCHR(n->mode) || S_ISBLK(n->mode)) {
		archive_entry_set_rdevmajor(s->ae, major(n->rdev));
		archive_entry_set_rdevminor(s->ae, minor(n->rdev));
	}
	return put(s, e);
}

/* Write a whiteout as an empty file with the name that it has in the archive. */
static int put_mark(struct mtree_writer *s, const struct node *dir, const char *prefix,
	const char *name, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	int r;

	if (dir->parent)
		buf_char(&b, '/');
	buf_str(&b, prefix);
	buf_str(&b, name);
	if (!buf_get(&b))
		return err_nomem(e);
	r = begin(s, dir, buf_get(&b), e);
	if (r < 0)
		return r;
	archive_entry_set_mode(s->ae, S_IFREG);
	archive_entry_set_mtime(s->ae, 0, 0);
	archive_entry_set_size(s->ae, 0);
	return put(s, e);
}

static int put_node(struct mtree_writer *s, const struct node *n, struct err *e)
{
	int r = 0;

	/* A parent that this layer does not list is in the specification of the one that does. */
	if (n->mode && n->flags & NODE_LISTED && n->flags & NODE_MADE)
		r = put_object(s, n, e);
	/* If no layer has the directory, it was not created, and a mark would imply that it exists.
	 */
	if (r == 0 && n->flags & NODE_OPAQUE && node_is_made_dir(n))
		r = put_mark(s, n, WHITEOUT_OPAQUE, "", e);
	if (r == 0 && n->flags & NODE_WHITEOUT && node_is_made_dir(n->parent))
		r = put_mark(s, n->parent, WHITEOUT_PREFIX, n->name, e);
	return r;
}

static int put_all(struct mtree_writer *s, const struct layer *l, struct err *e)
{
	struct node *root = l->tree.root;
	int r = 0;

	for (struct node *n = root; r == 0 && n; n = layer_tree_next(root, n)) {
		r = stop_check(e);
		if (r == 0 && layer_tree_sort(n) < 0)
			r = err_nomem(e);
		if (r == 0)
			r = put_node(s, n, e);
	}
	return r;
}

/* Write what put_them() writes, to a new file that may have a beginning. */
static int write_file(struct mtree_writer *s, const struct layer *l,
	int (*put_them)(struct mtree_writer *s, const struct layer *l, struct err *e),
	struct err *e)
{
	int r;

	s->ae = archive_entry_new();
	r = s->ae ? start(s, e) : err_nomem(e);
	if (r == 0)
		r = put_them(s, l, e);
	if (r == 0)
		r = finish(s, e);
	if (r == 0 && flush_out(s) < 0)
		r = broken(s, e);
	if (s->a)
		(void)archive_write_free(s->a); /* an error was reported before */
	if (s->ae)
		archive_entry_free(s->ae);
	buf_done(&s->path);
	buf_done(&s->out);
	return r < 0 ? r : fd_finish(&s->fd, s->name, e);
}

static int create(struct mtree_writer *s, int dirfd, const char *name, struct err *e)
{
	*s = (struct mtree_writer){ .name = name };
	s->fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return s->fd < 0 ? err_set(e, errno, name, "cannot create the layer's specification") : 0;
}

int layer_mtree_write(const struct layer *l, int dirfd, const char *name, struct err *e)
{
	struct mtree_writer s;
	int r = create(&s, dirfd, name, e);

	if (r == 0)
		r = write_file(&s, l, put_all, e);
	cleanup_fd(&s.fd);
	return r;
}

static int put_whiteouts(struct mtree_writer *s, const struct layer *l, struct err *e)
{
	struct node *root = l->tree.root;
	int r = 0;

	for (struct node *n = root; r == 0 && n; n = layer_tree_next(root, n)) {
		r = stop_check(e);
		if (r == 0 && layer_tree_sort(n) < 0)
			r = err_nomem(e);
		if (r == 0 && n->flags & NODE_WHITEOUT)
			r = put_mark(s, n->parent, WHITEOUT_PREFIX, n->name, e);
	}
	return r;
}

static int copy_spec(struct mtree_writer *s, int old, struct err *e)
{
	char piece[16384];
	ssize_t n;

	while ((n = read(old, piece, sizeof(piece))) > 0 || (n < 0 && errno == EINTR)) {
		int r = n < 0 ? 0 : fd_write_all(s->fd, piece, (size_t)n);

		if (r < 0)
			return err_set(e, -r, s->name, "cannot write the layer's specification");
		s->size += n < 0 ? 0 : (uint64_t)n;
	}
	return n < 0 ? err_set(e, errno, s->name, "cannot read the layer's specification") : 0;
}

int layer_mtree_extend(const struct layer *l, int old, int dirfd, const char *name, struct err *e)
{
	struct mtree_writer s;
	int r = create(&s, dirfd, name, e);

	if (r == 0)
		r = copy_spec(&s, old, e);
	if (r == 0)
		r = write_file(&s, l, put_whiteouts, e);
	cleanup_fd(&s.fd);
	return r;
}
