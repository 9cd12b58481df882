/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_deps: write the dependencies of a layer on the layers below, and check them. */

#include "layer_deps.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/stop.h"
#include "layer_limits.h"
#include "layer_priv.h"
#include "layer_unmapped.h"
#include "xattr.h"

/* The first word of each line. */
static const char *const kind_words[] = {
	[LAYER_DEP_DIR] = "dir",
	[LAYER_DEP_META] = "meta",
	[LAYER_DEP_FILE] = "file",
	[LAYER_DEP_LINK] = "link",
	[LAYER_DEP_HIDES] = "hides",
	[LAYER_DEP_CAPS] = "caps",
	[LAYER_DEP_DEVICES] = "devices",
	[LAYER_DEP_IDS] = "ids",
};

/* Write all bytes that could be mistaken for something else as %HH. */
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

static void final_hex(struct hash *h, char ret[static DIGEST_HEX])
{
	struct digest d;

	hash_final(h, &d);
	(void)digest_hex(&d, ret);
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
	char hex[DIGEST_HEX] = "-";
	struct hash h;
	int r = xattrs_read(&x, hit->fd, hit->name, &o, path, e);

	if (r == 0 && x.len) {
		qsort(x.items, x.len, sizeof(*x.items), by_name);
		hash_init(&h, DIGEST_SHA256);
		for (size_t i = 0; i < x.len; i++) {
			uint64_t size = x.items[i].size;

			hash_update(&h, x.items[i].name, strlen(x.items[i].name) + 1);
			hash_update(&h, &size, sizeof(size));
			hash_update(&h, x.items[i].value, x.items[i].size);
		}
		final_hex(&h, hex);
	}
	if (r == 0)
		buf_str(b, hex);
	xattrs_done(&x);
	return r;
}

/* ---- the content of files ---- */

/*
 * Only blocks that are not all zeros are hashed, each one behind its offset: a hole of terabytes
 * costs nothing, and the digest of a file does not depend on its holes. OLD_HOLES: see
 * hash_whole().
 */
#define BLOCKS "blocks:"
enum { BLOCK = 4096, PIECE = 16 * BLOCK, OLD_HOLES = 1 << 30 };

/* A file whose content is being hashed. */
struct hashed_file {
	struct lower_walk *w; /* counts the bytes read */
	const char *path;     /* for messages */
	int fd;
	uint8_t *piece; /* PIECE bytes */
	struct hash hash;
};

/*
 * Read at most PIECE bytes at *at, but not beyond end, and advance *at. A piece is cut at a block
 * boundary, unless the file ends. Returns the number of bytes, 0 at the end of the file, or -errno.
 */
static ssize_t read_piece(struct hashed_file *f, off_t *at, off_t end, struct err *e)
{
	size_t want = end - *at < PIECE ? (size_t)(end - *at) : PIECE, got = 0;
	int r = stop_check(e);

	if (r < 0)
		return r;
	while (got < want) {
		ssize_t n = pread(f->fd, f->piece + got, want - got, *at + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(
				e, errno, f->path, "cannot read the file in the layer below");
		if (n == 0)
			break;
		got += (size_t)n;
	}
	*at += (off_t)got;
	f->w->read += got;
	return f->w->read > f->w->limit ?
		layer_limits_exceeded(f->path, false, "--max-bytes", f->w->limit, e) :
		(ssize_t)got;
}

/* Hash the n bytes of the piece, which are at offset at. */
static void hash_piece(struct hashed_file *f, size_t n, off_t at)
{
	static const uint8_t zeros[BLOCK];

	for (size_t i = 0; i < n; i += BLOCK) {
		size_t len = n - i < BLOCK ? n - i : BLOCK;
		uint64_t offset = htole64((uint64_t)at + i);

		if (!memcmp(f->piece + i, zeros, len))
			continue;
		hash_update(&f->hash, &offset, sizeof(offset));
		hash_update(&f->hash, f->piece + i, len);
	}
}

static int hash_blocks(struct hashed_file *f, struct err *e)
{
	for (off_t at = 0;;) {
		off_t data = lseek(f->fd, at, SEEK_DATA), end;

		if (data < 0 && errno == ENXIO)
			return 0; /* no data follows */
		end = data < 0 ? -1 : lseek(f->fd, data, SEEK_HOLE);
		if (end < 0)
			return err_set(
				e, errno, f->path, "cannot read the file in the layer below");
		end = (end + BLOCK - 1) / BLOCK * BLOCK;
		for (at = data / BLOCK * BLOCK; at < end;) {
			off_t from = at;
			ssize_t n = read_piece(f, &at, end, e);

			if (n <= 0)
				return (int)n; /* 0: the file ends inside its last block */
			hash_piece(f, (size_t)n, from);
		}
	}
}

/*
 * Hash all bytes, as earlier versions did. That takes hours for very large holes, so for a file
 * with such holes the result is the digest of no bytes. It differs from the recorded one; the layer
 * is then unpacked again, and gets a digest of blocks.
 */
static int hash_whole(struct hashed_file *f, struct err *e)
{
	struct stat st;
	off_t at = 0;
	ssize_t n;

	if (fstat(f->fd, &st) < 0)
		return err_set(e, errno, f->path, "cannot stat the file in the layer below");
	if (st.st_size / 512 - st.st_blocks > OLD_HOLES / 512)
		return 0;
	while ((n = read_piece(f, &at, st.st_size, e)) > 0)
		hash_update(&f->hash, f->piece, (size_t)n);
	return (int)n;
}

static int hash_file(struct lower_walk *w, const struct lower_hit *hit, const char *path,
	bool whole, char ret[static DIGEST_HEX], struct err *e)
{
	struct hashed_file f = { .w = w, .path = path };
	scoped_free uint8_t *piece = malloc(PIECE);
	scoped_fd int fd = -1;
	int r;

	if (!piece)
		return err_nomem(e);
	r = lower_open(hit, path, &fd, e);
	if (r < 0)
		return r;
	f.fd = fd;
	f.piece = piece;
	hash_init(&f.hash, DIGEST_SHA256);
	r = whole ? hash_whole(&f, e) : hash_blocks(&f, e);
	if (r == 0)
		final_hex(&f.hash, ret);
	return r;
}

/* Each file is hashed once, even if it has several names. */
static int add_content_digest(struct lower_walk *w, const struct lower_hit *hit, const char *path,
	bool whole, struct buf *ret, struct err *e)
{
	struct lower_file *file;
	char *digest;
	int r = lower_walk_file(w, hit, &file, e);

	if (r < 0)
		return r;
	digest = whole ? file->whole : file->blocks;
	if (!*digest)
		r = hash_file(w, hit, path, whole, digest, e);
	if (r == 0)
		buf_printf(ret, "%s%s", whole ? "" : BLOCKS, digest);
	return r;
}

/* ---- lines ---- */

/* A fact about a path, and how its line is written. */
struct dep {
	enum layer_dep kind;
	const char *path;
	const struct lower_hit *hit; /* NULL: nothing was found */
	bool whole;                  /* content is hashed by hash_whole() */
};

static int add_target(const struct dep *d, struct buf *b, struct err *e)
{
	char target[4096];
	ssize_t n = readlinkat(d->hit->fd, d->hit->name, target, sizeof(target) - 1);

	if (n < 0)
		return err_set(
			e, errno, d->path, "cannot read the symbolic link in the layer below");
	target[n] = '\0';
	add_escaped(b, target);
	return 0;
}

static int add_file(struct lower_walk *w, const struct dep *d, struct buf *b, struct err *e)
{
	const struct stat *st = &d->hit->st;

	buf_printf(
		b, " %llu %llu ", (unsigned long long)st->st_size, (unsigned long long)st->st_rdev);
	if (S_ISREG(st->st_mode))
		return add_content_digest(w, d->hit, d->path, d->whole, b, e);
	if (!S_ISLNK(st->st_mode)) {
		buf_char(b, '-');
		return 0;
	}
	return add_target(d, b, e);
}

/*
 * Append "link:" and the target of a symbolic link, or a word for anything else that is not what
 * d->kind asks for.
 */
static int add_other(const struct dep *d, struct buf *b, struct err *e)
{
	const struct stat *st = d->hit ? &d->hit->st : NULL;

	if (d->kind != LAYER_DEP_FILE && st && S_ISLNK(st->st_mode)) {
		buf_str(b, "link:");
		return add_target(d, b, e);
	}
	buf_str(b, d->kind == LAYER_DEP_META && st ? "other" : "none");
	return 0;
}

static int add_line(struct lower_walk *w, const struct dep *d, struct buf *ret, struct err *e)
{
	const struct stat *st = d->hit ? &d->hit->st : NULL;
	const bool file = d->kind == LAYER_DEP_FILE, dir = st && S_ISDIR(st->st_mode);
	int r = 0;

	buf_printf(ret, "%s /", kind_words[d->kind]);
	add_escaped(ret, d->path);
	buf_char(ret, ' ');
	if (d->kind == LAYER_DEP_DIR) {
		buf_str(ret, dir ? "yes" : "no");
	} else if (!st || dir == file || d->kind == LAYER_DEP_LINK) {
		r = add_other(d, ret, e);
	} else {
		buf_printf(ret, "%o %u:%u %lld.%09ld ", st->st_mode, st->st_uid, st->st_gid,
			(long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
		r = add_xattr_digest(ret, &w->lower, d->hit, d->path, e);
		if (r == 0 && file)
			r = add_file(w, d, ret, e);
	}
	buf_char(ret, '\n');
	if (r == 0 && !buf_get(ret))
		return err_nomem(e);
	return r;
}

/* Append the digest of a directory's names, and of which of them are directories. */
static void add_names_digest(const struct lower_names *names, struct buf *ret)
{
	char hex[DIGEST_HEX];
	struct hash h;

	hash_init(&h, DIGEST_SHA256);
	for (size_t i = 0; i < names->list.len; i++) {
		const struct lower_name *n = &names->list.items[i];

		hash_update(&h, n->name, strlen(n->name) + 1);
		hash_update(&h, n->dir ? "d" : "-", 1);
	}
	final_hex(&h, hex);
	buf_str(ret, hex);
}

static int add_hides_line(
	const char *path, const struct lower_names *names, struct buf *ret, struct err *e)
{
	buf_printf(ret, "%s /", kind_words[LAYER_DEP_HIDES]);
	add_escaped(ret, path);
	buf_char(ret, ' ');
	if (!*path)
		buf_str(ret, "all");
	else if (names)
		add_names_digest(names, ret);
	else
		buf_str(ret, "none");
	buf_char(ret, '\n');
	return buf_get(ret) ? 0 : err_nomem(e);
}

static int check_length(const char *path, const struct buf *b, struct err *e)
{
	if (b->len <= LAYER_DEPS_MAX)
		return 0;
	return err_say(e, EFBIG, path,
		"the layer depends on too much of the layers below it: the list has more than %d "
		"MiB",
		LAYER_DEPS_MAX >> 20);
}

int layer_deps_add(struct lower_walk *w, enum layer_dep kind, const char *path,
	const struct lower_hit *hit, struct buf *ret, struct err *e)
{
	const struct dep d = { .kind = kind, .path = path, .hit = hit };
	int r = add_line(w, &d, ret, e);

	return r < 0 ? r : check_length(path, ret, e);
}

int layer_deps_add_hidden(
	const char *path, const struct lower_names *names, struct buf *ret, struct err *e)
{
	int r = add_hides_line(path, names, ret, e);

	return r < 0 ? r : check_length(path, ret, e);
}

/* The line of a fact about options (LAYER_DEP_CAPS to LAYER_DEP_IDS). o may be NULL. */
static void add_option_line(enum layer_dep kind, const struct layer_options *o, struct buf *ret)
{
	buf_printf(ret, "%s / ", kind_words[kind]);
	if (kind == LAYER_DEP_CAPS)
		buf_str(ret, o && o->rebase_caps ? "rebase" : "keep");
	else if (kind == LAYER_DEP_DEVICES)
		buf_str(ret, o && (o->skip_devices || o->no_devices) ? "skip" : "make");
	else
		layer_unmapped_print(o ? &o->ids : NULL, ret);
	buf_char(ret, '\n');
}

int layer_deps(const struct layer *l, struct buf *ret, struct err *e)
{
	if (l->rooted_caps)
		add_option_line(LAYER_DEP_CAPS, &l->o, ret);
	if (l->o.counts->devices)
		add_option_line(LAYER_DEP_DEVICES, &l->o, ret);
	if (l->o.counts->unmapped)
		add_option_line(LAYER_DEP_IDS, &l->o, ret);
	buf_add(ret, l->deps.data ? l->deps.data : "", l->deps.len);
	return buf_get(ret) ? 0 : err_nomem(e);
}

/* ---- checking ---- */

static int hex(char c)
{
	const char *digits = "0123456789ABCDEF", *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* Undo add_escaped() for the path of a line, from "/" to the blank. */
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

static bool parse_kind(const char *word, size_t n, enum layer_dep *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(kind_words); i++) {
		if (strlen(kind_words[i]) != n || memcmp(word, kind_words[i], n) != 0)
			continue;
		*ret = (enum layer_dep)i;
		return true;
	}
	return false;
}

static int bad_form(struct err *e)
{
	return err_say(
		e, EBADMSG, NULL, "the dependencies of the layer are not recorded in a known form");
}

/* Split a line: its kind, and its path, appended to ret_path. */
static int parse_line(
	const char *line, size_t len, enum layer_dep *ret_kind, struct buf *ret_path, struct err *e)
{
	const char *blank = memchr(line, ' ', len), *end = NULL;

	if (blank && parse_kind(line, (size_t)(blank - line), ret_kind))
		end = memchr(blank + 1, ' ', len - (size_t)(blank + 1 - line));
	if (!end || parse_path(blank + 1, (size_t)(end - blank - 1), ret_path) < 0)
		return bad_form(e);
	return buf_get(ret_path) ? 0 : err_nomem(e);
}

/* Write the line of LAYER_DEP_HIDES again. */
static int list_again(struct lower_walk *w, const char *path, struct buf *ret, struct err *e)
{
	scoped_names struct lower_names names = { .text = BUF_INIT };
	int r = *path ? lower_walk_names(w, path, &names, e) : 0;

	return r < 0 ? r : add_hides_line(path, r ? &names : NULL, ret, e);
}

/* Write the line again for the layers of w, and compare. */
static int line_holds(const char *line, size_t len, struct lower_walk *w, bool *ret, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT, now = BUF_INIT;
	scoped_hit struct lower_hit hit = LOWER_HIT_INIT;
	struct dep d = { .hit = NULL };
	int r = parse_line(line, len, &d.kind, &path, e);

	if (r < 0)
		return r;
	if (d.kind >= LAYER_DEP_CAPS) {
		add_option_line(d.kind, w->lower.o, &now);
		r = buf_get(&now) ? 0 : err_nomem(e);
	} else if (d.kind == LAYER_DEP_HIDES) {
		r = list_again(w, buf_get(&path), &now, e);
	} else {
		r = lower_walk_find(w, buf_get(&path), &hit, e);
		if (r < 0)
			return r;
		d.path = buf_get(&path);
		d.hit = r ? &hit : NULL;
		/* Paths contain no blanks, so this is found in the last field only. */
		d.whole = !memmem(line, len, " " BLOCKS, strlen(" " BLOCKS));
		r = add_line(w, &d, &now, e);
	}
	if (r == 0)
		*ret = now.len == len && !memcmp(now.data, line, len);
	return r;
}

int layer_deps_split(
	const char *deps, struct buf *ret_options, struct buf *ret_facts, struct err *e)
{
	for (const char *p = deps, *end; *p; p = end) {
		scoped_buf struct buf path = BUF_INIT;
		enum layer_dep kind;
		int r;

		end = strchrnul(p, '\n');
		end += *end == '\n';
		r = parse_line(p, (size_t)(end - p), &kind, &path, e);
		if (r == 0 && end[-1] != '\n')
			r = bad_form(e);
		if (r < 0)
			return r;
		buf_add(kind >= LAYER_DEP_CAPS ? ret_options : ret_facts, p, (size_t)(end - p));
	}
	return buf_get(ret_options) && buf_get(ret_facts) ? 0 : err_nomem(e);
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
