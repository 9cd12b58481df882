/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lowerdirs: look up paths in the merged view of the layers below. */

#include "lowerdirs.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/stop.h"
#include "xattr.h"

/* Bounds for the open directories of a walk, which are a quarter of the limit of open files. */
enum { OPEN_MIN = 64, OPEN_MAX = 8192 };

static void fds_done(struct lower_dirs *f)
{
	while (f->len)
		cleanup_fd(&f->items[--f->len]);
	VEC_DONE(f);
}

#define scoped_fds __attribute__((cleanup(fds_done)))

bool lower_has_mark(int fd, const char *name, bool user, const char *what, char want)
{
	char dir[32], path[32 + 1 + 256], key[64], value;

	(void)snprintf(path, sizeof(path), "%s/%s", fd_proc_path(fd, dir), name);
	return lgetxattr(path, xattr_overlay(user, what, key), &value, 1) == 1 && value == want;
}

bool lower_is_whiteout(const struct stat *st, int fd, const char *name, bool user)
{
	if (S_ISCHR(st->st_mode) && st->st_rdev == 0)
		return true;
	return S_ISREG(st->st_mode) && st->st_size == 0 &&
		lower_has_mark(fd, name, user, "whiteout", 'y');
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
 * Look up one component in the directories of the layers, topmost first. Sets *ret to the topmost
 * object (its fd stays -1 if there is none), and *ret_dirs to the directories that it merges.
 */
static int step(const int *dirs, size_t n, bool user, const char *name, struct lower_hit *ret,
	struct lower_dirs *ret_dirs)
{
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		int fd, r = 0;

		if (fstatat(dirs[i], name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT)
				continue;
			return -errno;
		}
		if (lower_is_whiteout(&st, dirs[i], name, user))
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
		if (lower_has_mark(dirs[i], name, user, "opaque", 'y'))
			return 0;
	}
	return 0;
}

int lower_open(const struct lower_hit *hit, const char *path, int *ret, struct err *e)
{
	struct err own = ERR_INIT;
	int r = fd_open_regular(hit->fd, hit->name, O_NOFOLLOW, ret, &own);

	if (r != -EWOULDBLOCK) {
		if (r < 0 && e)
			*e = own;
		return r;
	}
	log_warn("'%s': waiting until a lease ends that a user holds on this file of a stored "
		 "layer; 'sysctl fs.leases-enable=0' forbids leases",
		path);
	stop_set_waiting(true);
	*ret = openat(hit->fd, hit->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	r = *ret < 0 ? err_set(e, errno, path, "cannot open the file") : 0;
	stop_set_waiting(false);
	return r;
}

/* ---- walks ---- */

void lower_walk_begin(struct lower_walk *w, const struct lower *l)
{
	struct rlimit limit = { .rlim_cur = 0 };

	*w = (struct lower_walk){ .lower = *l, .limit = UINT64_MAX };
	(void)getrlimit(RLIMIT_NOFILE, &limit); /* cannot fail */
	w->open_max = limit.rlim_cur / 4 > OPEN_MAX ? OPEN_MAX :
		limit.rlim_cur / 4 < OPEN_MIN       ? OPEN_MIN :
						      (size_t)limit.rlim_cur / 4;
}

/* Close directories, highest first, until at most max are open. The deepest level stays open. */
static void shed(struct lower_walk *w, size_t max)
{
	while (w->open > max && w->closed + 1 < w->levels.len) {
		struct lower_level *v = &w->levels.items[w->closed++];

		w->open -= v->dirs.len;
		fds_done(&v->dirs);
	}
}

static void drop(struct lower_walk *w, size_t levels)
{
	while (w->levels.len > levels) {
		struct lower_level *v = &w->levels.items[--w->levels.len];

		w->open -= v->dirs.len;
		fds_done(&v->dirs);
	}
	if (w->closed > levels)
		w->closed = levels;
}

void lower_walk_end(struct lower_walk *w)
{
	drop(w, 0);
	VEC_DONE(&w->levels);
	buf_done(&w->path);
	tdestroy(w->files, free);
	w->files = NULL;
}

/*
 * Keep the levels that are on the way to path, and return the offset of the next component. If the
 * deepest of these levels is closed, the walk starts at the top again, and reopens all of them.
 */
static size_t keep_common(struct lower_walk *w, const char *path)
{
	const char *last = w->path.data ? w->path.data : "";
	size_t same = 0, n = w->levels.len;

	while (last[same] && last[same] == path[same])
		same++;
	while (n && (w->levels.items[n - 1].end > same || path[w->levels.items[n - 1].end] != '/'))
		n--;
	if (n <= w->closed)
		n = 0;
	drop(w, n);
	return n ? w->levels.items[n - 1].end + 1 : 0;
}

static int push(struct lower_walk *w, size_t end, struct lower_dirs *dirs)
{
	if (VEC_ADD(&w->levels, (struct lower_level){ .end = end, .dirs = *dirs }) < 0)
		return -ENOMEM;
	w->open += dirs->len;
	*dirs = (struct lower_dirs){ .items = NULL };
	shed(w, w->open_max);
	return 0;
}

/* Go down one component from the deepest level. */
static int walk_step(
	struct lower_walk *w, const char *name, struct lower_hit *ret, struct lower_dirs *ret_dirs)
{
	for (;;) {
		const struct lower_level *v =
			w->levels.len ? &w->levels.items[w->levels.len - 1] : NULL;
		int r = v ?
			step(v->dirs.items, v->dirs.len, w->lower.user_xattr, name, ret, ret_dirs) :
			step(w->lower.dirfds, w->lower.n, w->lower.user_xattr, name, ret, ret_dirs);

		if ((r != -EMFILE && r != -ENFILE) || w->closed + 1 >= w->levels.len)
			return r;
		/* Fewer descriptors are available than the limit suggests. */
		cleanup_lower_hit(ret);
		*ret = LOWER_HIT_INIT;
		fds_done(ret_dirs);
		w->open_max = w->open / 2;
		shed(w, w->open_max);
	}
}

static int find(struct lower_walk *w, const char *path, struct lower_hit *ret)
{
	size_t at = keep_common(w, path);

	buf_reset(&w->path);
	buf_str(&w->path, path);
	if (!buf_get(&w->path)) {
		drop(w, 0);
		return -ENOMEM;
	}
	for (const char *p = path + at, *end; *p; p = *end ? end + 1 : end) {
		scoped_fds struct lower_dirs dirs = { .items = NULL };
		char name[256];
		int r;

		end = strchrnul(p, '/');
		if ((size_t)(end - p) >= sizeof(name))
			return -ENAMETOOLONG;
		memcpy(name, p, (size_t)(end - p));
		name[end - p] = '\0';

		cleanup_lower_hit(ret);
		*ret = LOWER_HIT_INIT;
		r = walk_step(w, name, ret, &dirs);
		if (r < 0 || ret->fd < 0)
			return r;
		if (S_ISDIR(ret->st.st_mode)) {
			r = push(w, (size_t)(end - path), &dirs);
			if (r < 0)
				return r;
		} else if (*end) {
			cleanup_lower_hit(ret);
			*ret = LOWER_HIT_INIT;
			return 0;
		}
	}
	return 1;
}

int lower_walk_find(struct lower_walk *w, const char *path, struct lower_hit *ret, struct err *e)
{
	const struct lower *l = &w->lower;
	struct stat st;
	int r = 0;

	*ret = LOWER_HIT_INIT;
	if (l->n && *path) {
		r = find(w, path, ret);
	} else if (l->n) {
		r = fstatat(l->dirfds[0], ".", &st, AT_SYMLINK_NOFOLLOW) < 0 ?
			-errno :
			keep(ret, l->dirfds[0], ".", &st);
	}
	if (r < 0) {
		cleanup_lower_hit(ret);
		*ret = LOWER_HIT_INIT;
		return err_set(e, -r, *path ? path : ".", "cannot look it up in the layers below");
	}
	return ret->fd >= 0;
}

int lower_find(const struct lower *l, const char *path, struct lower_hit *ret, struct err *e)
{
	scoped_walk struct lower_walk w;

	lower_walk_begin(&w, l);
	return lower_walk_find(&w, path, ret, e);
}

static int by_inode(const void *a, const void *b)
{
	const struct lower_file *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino != y->ino;
}

int lower_walk_file(
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
		(void)TAKE_PTR(f); /* w->files owns it */
	return 0;
}
