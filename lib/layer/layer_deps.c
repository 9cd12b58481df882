/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_deps: what a layer asks of the layers below, as text. */

#include "lowerdirs.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/stop.h"
#include "entry.h"
#include "layer_unmapped.h"
#include "xattr.h"

/* %HH for all that could be taken for something else. */
static void add_escaped(struct buf *b, const char *s)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=,@:~";

	for (; *s; s++) {
		if (strchr(plain, *s))
			buf_char(b, *s);
		else
			buf_printf(b, "%%%02X", (unsigned char)*s);
	}
}

static void add_digest(struct buf *b, struct sha256_ctx *c)
{
	uint8_t d[SHA256_DIGEST_SIZE];

	sha256_digest(c, sizeof(d), d);
	for (size_t i = 0; i < sizeof(d); i++)
		buf_printf(b, "%02x", d[i]);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct xattr *)a)->name, ((const struct xattr *)b)->name);
}

static int add_xattr_digest(struct buf *b, const struct lower *l, const struct lower_hit *hit,
	const char *path, struct err *e)
{
	struct layer_options o = { .user_xattr = l->user_xattr, .keep_security = true };
	struct xattrs x = { .items = NULL };
	struct sha256_ctx c;
	int r = xattrs_read(&x, hit->fd, hit->name, &o, path, e);

	if (r == 0 && x.len) {
		qsort(x.items, x.len, sizeof(*x.items), by_name);
		sha256_init(&c);
		for (size_t i = 0; i < x.len; i++) {
			uint64_t size = x.items[i].size;

			sha256_update(
				&c, strlen(x.items[i].name) + 1, (const uint8_t *)x.items[i].name);
			sha256_update(&c, sizeof(size), (const uint8_t *)&size);
			sha256_update(&c, x.items[i].size, x.items[i].value);
		}
		add_digest(b, &c);
	} else if (r == 0) {
		buf_char(b, '-');
	}
	xattrs_done(&x);
	return r;
}

/* ---- the content of files ---- */

/*
 * Only blocks that are not all zeros are hashed, each with its offset: a hole of terabytes costs
 * nothing, and a file has one digest however its holes lie. OLD_HOLES: see read_whole().
 */
#define BLOCKS "blocks:"
enum { BLOCK = 4096, PIECE = 16 * BLOCK, OLD_HOLES = 1 << 30 };

static int by_inode(const void *a, const void *b)
{
	const struct lower_file *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino != y->ino;
}

int lower_file(
	struct lower_walk *w, const struct lower_hit *hit, struct lower_file **ret, struct err *e)
{
	scoped_free struct lower_file *f = calloc(1, sizeof(*f));
	struct lower_file **there;

	if (!f)
		return err_nomem(e);
	f->dev = hit->st.st_dev;
	f->ino = hit->st.st_ino;
	there = tsearch(f, &w->files, by_inode);
	if (!there)
		return err_nomem(e);
	*ret = *there;
	if (*there == f)
		(void)TAKE_PTR(f); /* the tree's now */
	return 0;
}

/* At most PIECE bytes at *at, which is moved, and none beyond end. 0 at the end of the file. */
static ssize_t read_piece(struct lower_walk *w, int fd, off_t *at, off_t end, uint8_t *p,
	const char *path, struct err *e)
{
	size_t want = end - *at < PIECE ? (size_t)(end - *at) : PIECE, got = 0;
	int r = stop_check(e);

	if (r < 0)
		return r;
	/* Whole blocks, but for the last one. */
	while (got < want) {
		ssize_t n = pread(fd, p + got, want - got, *at + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, path, "cannot read the file in the layer below");
		if (n == 0)
			break;
		got += (size_t)n;
	}
	*at += (off_t)got;
	w->read += got;
	return w->read > w->limit ?
		entry_over_limit(path, "layer has", "--max-bytes", w->limit, e) :
		(ssize_t)got;
}

static void hash_blocks(struct sha256_ctx *c, const uint8_t *p, size_t n, off_t at)
{
	static const uint8_t zeros[BLOCK];

	for (size_t i = 0; i < n; i += BLOCK) {
		size_t len = n - i < BLOCK ? n - i : BLOCK;
		uint64_t offset = htole64((uint64_t)at + i);

		if (!memcmp(p + i, zeros, len))
			continue;
		sha256_update(c, sizeof(offset), (const uint8_t *)&offset);
		sha256_update(c, len, p + i);
	}
}

static int read_blocks(struct lower_walk *w, int fd, struct sha256_ctx *c, uint8_t *p,
	const char *path, struct err *e)
{
	for (off_t at = 0;;) {
		off_t data = lseek(fd, at, SEEK_DATA), end;

		if (data < 0 && errno == ENXIO)
			return 0; /* a hole to the end, or the end */
		end = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
		if (end < 0)
			return err_set(e, errno, path, "cannot read the file in the layer below");
		end = (end + BLOCK - 1) / BLOCK * BLOCK;
		for (at = data / BLOCK * BLOCK; at < end;) {
			off_t from = at;
			ssize_t n = read_piece(w, fd, &at, end, p, path, e);

			if (n <= 0)
				return (int)
					n; /* 0: the file's last block was cut short by its end */
			hash_blocks(c, p, (size_t)n, from);
		}
	}
}

/*
 * The digest that earlier versions wrote, of all bytes. With very large holes that takes hours, so
 * such a layer does not hold: it is unpacked again, and its digest is then one of blocks.
 */
static int read_whole(struct lower_walk *w, int fd, struct sha256_ctx *c, uint8_t *p,
	const char *path, struct err *e)
{
	struct stat st;
	off_t at = 0;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, path, "cannot stat the file in the layer below");
	if (st.st_size / 512 - st.st_blocks > OLD_HOLES / 512)
		return 0; /* that of no bytes, which it is not */
	while ((n = read_piece(w, fd, &at, st.st_size, p, path, e)) > 0)
		sha256_update(c, (size_t)n, p);
	return (int)n;
}

static int add_content_digest(struct lower_walk *w, const struct lower_hit *hit, const char *path,
	bool whole, struct buf *ret, struct err *e)
{
	scoped_free uint8_t *p = NULL;
	struct lower_file *file;
	struct sha256_ctx c;
	scoped_buf struct buf b = BUF_INIT;
	scoped_fd int fd = -1;
	char *digest;
	int r = lower_file(w, hit, &file, e);

	if (r < 0)
		return r;
	digest = whole ? file->whole : file->blocks;
	if (!*digest) {
		p = malloc(PIECE);
		r = p ? fd_open_regular(hit->fd, hit->name, O_NOFOLLOW, &fd, e) : err_nomem(e);
		sha256_init(&c);
		if (r == 0)
			r = whole ? read_whole(w, fd, &c, p, path, e) :
				    read_blocks(w, fd, &c, p, path, e);
		if (r < 0)
			return r;
		add_digest(&b, &c);
		if (!buf_get(&b))
			return err_nomem(e);
		(void)snprintf(
			digest, sizeof(file->whole), "%s", b.data); /* fits: a digest's digits */
	}
	buf_printf(ret, "%s%s", whole ? "" : BLOCKS, digest);
	return 0;
}

/* ---- lines ---- */

static int add_file(struct lower_walk *w, const struct lower_hit *hit, const char *path, bool whole,
	struct buf *b, struct err *e)
{
	char target[4096];
	ssize_t n;

	buf_printf(b, " %llu %llu ", (unsigned long long)hit->st.st_size,
		(unsigned long long)hit->st.st_rdev);
	if (S_ISREG(hit->st.st_mode))
		return add_content_digest(w, hit, path, whole, b, e);
	if (!S_ISLNK(hit->st.st_mode)) {
		buf_char(b, '-');
		return 0;
	}
	n = readlinkat(hit->fd, hit->name, target, sizeof(target) - 1);
	if (n < 0)
		return err_set(e, errno, path, "cannot read the symbolic link in the layer below");
	target[n] = '\0';
	add_escaped(b, target);
	return 0;
}

static int answer(struct lower_walk *w, const char *kind, const char *path,
	const struct lower_hit *hit, bool whole, struct buf *ret, struct err *e)
{
	bool file = !strcmp(kind, "file"), dir = hit && S_ISDIR(hit->st.st_mode);
	int r = 0;

	buf_printf(ret, "%s /", kind);
	add_escaped(ret, path);
	buf_char(ret, ' ');
	if (!strcmp(kind, "dir")) {
		buf_str(ret, dir ? "yes" : "no");
	} else if (!hit || dir == file) {
		buf_str(ret, "none");
	} else {
		buf_printf(ret, "%o %u:%u %lld.%09ld ", hit->st.st_mode, hit->st.st_uid,
			hit->st.st_gid, (long long)hit->st.st_mtim.tv_sec, hit->st.st_mtim.tv_nsec);
		r = add_xattr_digest(ret, &w->lower, hit, path, e);
		if (r == 0 && file)
			r = add_file(w, hit, path, whole, ret, e);
	}
	buf_char(ret, '\n');
	if (r == 0 && !buf_get(ret))
		return err_nomem(e);
	return r;
}

int layer_deps_add(struct lower_walk *w, const char *kind, const char *path,
	const struct lower_hit *hit, struct buf *ret, struct err *e)
{
	int r = answer(w, kind, path, hit, false, ret, e);

	if (r == 0 && ret->len > LAYER_DEPS_MAX)
		return err_say(e, EFBIG, path,
			"the layer depends on too much of the layers below it: the list has more "
			"than %d MiB",
			LAYER_DEPS_MAX >> 20);
	return r;
}

void layer_deps_add_options(const char *kind, const struct layer_options *o, struct buf *ret)
{
	buf_printf(ret, "%s / ", kind);
	if (!strcmp(kind, "caps"))
		buf_str(ret, o && o->rebase_caps ? "rebase" : "keep");
	else if (!strcmp(kind, "devices"))
		buf_str(ret, o && (o->skip_devices || o->no_devices) ? "skip" : "make");
	else
		layer_unmapped_print(o ? &o->ids : NULL, ret);
	buf_char(ret, '\n');
}

static int hex(char c)
{
	const char *digits = "0123456789ABCDEF", *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* The path of a line, from "/" to the blank. */
static int parse_path(const char *s, size_t n, struct buf *ret)
{
	for (size_t i = 1; i < n; i++) {
		int c = (unsigned char)s[i];

		if (c == '%') {
			if (i + 2 >= n || hex(s[i + 1]) < 0 || hex(s[i + 2]) < 0)
				return -EINVAL;
			c = hex(s[i + 1]) * 16 + hex(s[i + 2]);
			i += 2;
		}
		if (!c)
			return -EINVAL;
		buf_char(ret, (char)c);
	}
	return n ? 0 : -EINVAL;
}

static int line_holds(const char *line, size_t len, struct lower_walk *w, bool *ret, struct err *e)
{
	static const char *const kinds[] = { "dir", "meta", "file", "caps", "devices", "ids" };
	const size_t of_options = 3;
	scoped_buf struct buf path = BUF_INIT, now = BUF_INIT;
	scoped_hit struct lower_hit hit = LOWER_HIT_INIT;
	const char *blank = memchr(line, ' ', len), *end;
	const char *kind = NULL;
	bool option = false;
	int r = 0;

	for (size_t i = 0; blank && i < ARRAY_LEN(kinds); i++)
		if (strlen(kinds[i]) == (size_t)(blank - line) &&
			!memcmp(line, kinds[i], (size_t)(blank - line))) {
			kind = kinds[i];
			option = i >= of_options;
		}
	end = kind ? memchr(blank + 1, ' ', len - (size_t)(blank + 1 - line)) : NULL;
	if (!end || parse_path(blank + 1, (size_t)(end - blank - 1), &path) < 0)
		return err_say(e, EBADMSG, NULL,
			"what the layer depends on is not recorded in a form that is known");
	if (!buf_get(&path))
		return err_nomem(e);

	if (option)
		layer_deps_add_options(kind, w->lower.o, &now);
	else
		r = lower_walk_find(w, buf_get(&path), &hit, e);
	/* A blank stands between fields only. */
	if (r >= 0 && !option)
		r = answer(w, kind, buf_get(&path), r ? &hit : NULL,
			!memmem(line, len, " " BLOCKS, strlen(" " BLOCKS)), &now, e);
	if (r == 0 && !buf_get(&now))
		return err_nomem(e);
	if (r == 0)
		*ret = now.len == len && !memcmp(now.data, line, len);
	return r;
}

int layer_deps_hold(const char *deps, struct lower_walk *w, bool *ret, struct err *e)
{
	bool holds = true;
	int r = 0;

	for (const char *p = deps, *end; r == 0 && holds && *p; p = end) {
		end = strchrnul(p, '\n');
		end += *end == '\n';
		r = stop_check(e);
		if (r == 0)
			r = line_holds(p, (size_t)(end - p), w, &holds, e);
	}
	if (r == 0)
		*ret = holds;
	return r;
}

int layer_deps_hold_below(const char *deps, const struct lower *lower, bool *ret, struct err *e)
{
	scoped_walk struct lower_walk w;

	lower_walk_begin(&w, lower);
	return layer_deps_hold(deps, &w, ret, e);
}
