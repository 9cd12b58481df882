/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lower: the merged view of the layers below, and what a layer asks of it. */

#include "lower.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/vec.h"
#include "unmapped.h"
#include "xattr.h"

struct fds {
	int *items;
	size_t len, cap;
};

static void fds_done(struct fds *f)
{
	while (f->len)
		cleanup_fd(&f->items[--f->len]);
	VEC_DONE(f);
}

#define scoped_fds __attribute__((cleanup(fds_done)))

/* Has the entry an overlayfs mark of that value? Marks stand on directories and on empty files only. */
static bool has_mark(int fd, const char *name, bool user, const char *what, char want)
{
	char dir[32], path[32 + 1 + 256], key[64], value;

	(void)snprintf(path, sizeof(path), "%s/%s", fd_proc_path(fd, dir), name);
	return lgetxattr(path, xattr_overlay(user, what, key), &value, 1) == 1 && value == want;
}

static bool is_whiteout(const struct stat *st, int fd, const char *name, bool user)
{
	if (S_ISCHR(st->st_mode) && st->st_rdev == 0)
		return true;
	return S_ISREG(st->st_mode) && st->st_size == 0 && has_mark(fd, name, user, "whiteout", 'y');
}

static int keep(struct lower_hit *ret, int fd, const char *name, const struct stat *st)
{
	ret->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (ret->fd < 0)
		return -errno;
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	ret->st = *st;
	return 0;
}

/*
 * One component: what it is in the directories of the layers, topmost first. The topmost object goes to *ret
 * (whose fd stays -1 when there is none), the directories that merge under it to *ret_dirs.
 */
static int step(const int *dirs, size_t n, bool user, const char *name, struct lower_hit *ret, struct fds *ret_dirs)
{
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		int fd, r = 0;

		if (fstatat(dirs[i], name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT)
				continue;
			return -errno;
		}
		if (is_whiteout(&st, dirs[i], name, user))
			return 0;
		if (ret->fd < 0)
			r = keep(ret, dirs[i], name, &st);
		if (r < 0 || !S_ISDIR(st.st_mode))
			return r;

		fd = openat(dirs[i], name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (VEC_ADD(ret_dirs, fd) < 0) {
			cleanup_fd(&fd);
			return -ENOMEM;
		}
		if (has_mark(dirs[i], name, user, "opaque", 'y'))
			return 0;
	}
	return 0;
}

static int find(const struct lower *l, const char *path, struct lower_hit *ret)
{
	scoped_fds struct fds dirs = { .items = NULL };
	const int *at = l->dirfds;
	size_t n = l->n;

	for (const char *p = path, *end; *p; p = *end ? end + 1 : end) {
		scoped_fds struct fds next = { .items = NULL };
		struct fds swap;
		char name[256];
		int r;

		end = strchrnul(p, '/');
		if ((size_t)(end - p) >= sizeof(name))
			return -ENAMETOOLONG;
		memcpy(name, p, (size_t)(end - p));
		name[end - p] = '\0';

		cleanup_fd(&ret->fd);
		ret->fd = -1;
		r = step(at, n, l->user_xattr, name, ret, &next);
		if (r < 0 || ret->fd < 0)
			return r;
		if (*end && !S_ISDIR(ret->st.st_mode)) {
			cleanup_fd(&ret->fd);
			ret->fd = -1;
			return 0;
		}
		swap = dirs;
		dirs = next;
		next = swap;
		at = dirs.items;
		n = dirs.len;
	}
	return 1;
}

int lower_find(const struct lower *l, const char *path, struct lower_hit *ret, struct err *e)
{
	struct stat st;
	int r = 0;

	*ret = LOWER_HIT_INIT;
	if (l->n && *path) {
		r = find(l, path, ret);
	} else if (l->n) {
		r = fstatat(l->dirfds[0], ".", &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : keep(ret, l->dirfds[0], ".", &st);
	}
	if (r < 0) {
		cleanup_fd(&ret->fd);
		return err_set(e, -r, *path ? path : ".", "cannot look it up in the layers below");
	}
	return ret->fd >= 0;
}

/* ---- answers ---- */

/* %HH for all that could be taken for something else. */
static void add_escaped(struct buf *b, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=,@:~";

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

static int add_xattr_digest(struct buf *b, const struct lower *l, const struct lower_hit *hit, const char *path,
			    struct err *e)
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

			sha256_update(&c, strlen(x.items[i].name) + 1, (const uint8_t *)x.items[i].name);
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

static int add_content_digest(struct buf *b, const struct lower_hit *hit, const char *path, struct err *e)
{
	scoped_free uint8_t *p = malloc(65536);
	scoped_fd int fd = -1;
	struct sha256_ctx c;
	int r;

	if (!p)
		return err_nomem(e);
	r = fd_open_regular(hit->fd, hit->name, O_NOFOLLOW, &fd, e);
	if (r < 0)
		return r;
	sha256_init(&c);
	for (;;) {
		ssize_t n = read(fd, p, 65536);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, path, "cannot read the file in the layer below");
		if (n == 0)
			break;
		sha256_update(&c, (size_t)n, p);
	}
	add_digest(b, &c);
	return 0;
}

static int add_file(struct buf *b, const struct lower_hit *hit, const char *path, struct err *e)
{
	char target[4096];
	ssize_t n;

	buf_printf(b, " %llu %llu ", (unsigned long long)hit->st.st_size, (unsigned long long)hit->st.st_rdev);
	if (S_ISREG(hit->st.st_mode))
		return add_content_digest(b, hit, path, e);
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

int lower_answer_hit(const struct lower *l, const char *kind, const char *path, const struct lower_hit *hit,
		     struct buf *ret, struct err *e)
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
		buf_printf(ret, "%o %u:%u %lld.%09ld ", hit->st.st_mode, hit->st.st_uid, hit->st.st_gid,
			   (long long)hit->st.st_mtim.tv_sec, hit->st.st_mtim.tv_nsec);
		r = add_xattr_digest(ret, l, hit, path, e);
		if (r == 0 && file)
			r = add_file(ret, hit, path, e);
	}
	buf_char(ret, '\n');
	if (r == 0 && !buf_get(ret))
		return err_nomem(e);
	return r;
}

int lower_answer(const struct lower *l, const char *kind, const char *path, struct buf *ret, struct err *e)
{
	scoped_hit struct lower_hit hit = LOWER_HIT_INIT;
	int r = lower_find(l, path, &hit, e);

	return r < 0 ? r : lower_answer_hit(l, kind, path, r ? &hit : NULL, ret, e);
}

void lower_answer_options(const char *kind, const struct layer_options *o, struct buf *ret)
{
	buf_printf(ret, "%s / ", kind);
	if (!strcmp(kind, "caps"))
		buf_str(ret, o && o->rebase_caps ? "rebase" : "keep");
	else if (!strcmp(kind, "devices"))
		buf_str(ret, o && (o->skip_devices || o->no_devices) ? "skip" : "make");
	else
		unmapped_print(o ? &o->ids : NULL, ret);
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

static int line_holds(const char *line, size_t len, const struct lower *lower, bool *ret, struct err *e)
{
	static const char *const kinds[] = { "dir", "meta", "file", "caps", "devices", "ids" };
	const size_t of_options = 3;
	scoped_buf struct buf path = BUF_INIT, now = BUF_INIT;
	const char *blank = memchr(line, ' ', len), *end;
	const char *kind = NULL;
	bool option = false;
	int r = 0;

	for (size_t i = 0; blank && i < ARRAY_LEN(kinds); i++)
		if (strlen(kinds[i]) == (size_t)(blank - line) && !memcmp(line, kinds[i], (size_t)(blank - line))) {
			kind = kinds[i];
			option = i >= of_options;
		}
	end = kind ? memchr(blank + 1, ' ', len - (size_t)(blank + 1 - line)) : NULL;
	if (!end || parse_path(blank + 1, (size_t)(end - blank - 1), &path) < 0)
		return err_say(e, EBADMSG, NULL, "what the layer depends on is not recorded in a form that is known");
	if (!buf_get(&path))
		return err_nomem(e);

	if (option)
		lower_answer_options(kind, lower->o, &now);
	else
		r = lower_answer(lower, kind, buf_get(&path), &now, e);
	if (r == 0 && !buf_get(&now))
		return err_nomem(e);
	if (r == 0)
		*ret = now.len == len && !memcmp(now.data, line, len);
	return r;
}

int layer_answers_hold(const char *answers, const struct lower *lower, bool *ret, struct err *e)
{
	bool holds = true;
	int r = 0;

	for (const char *p = answers, *end; r == 0 && holds && *p; p = end) {
		end = strchrnul(p, '\n');
		end += *end == '\n';
		r = line_holds(p, (size_t)(end - p), lower, &holds, e);
	}
	if (r == 0)
		*ret = holds;
	return r;
}
