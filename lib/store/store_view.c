/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_view: read a stored image without mounting it. */

#include "store_view.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/json.h"
#include "../idmap/userns_self.h"
#include "../mount/stored_layer.h"
#include "store_image.h"
#include "store_lock.h"
#include "store_priv.h"

enum { MAX_LINKS = 40 }; /* path_resolution(7) */

static int open_layers(struct store_view *v, struct err *e)
{
	for (size_t i = 0; i < v->dirs.len; i++) {
		scoped_fd int fd = -1;
		int r = stored_layer_open(v->store->fd, v->dirs.items[i], O_PATH, &fd, e);

		if (r < 0)
			return r;
		if (VEC_ADD(&v->fds, fd) < 0)
			return err_nomem(e);
		(void)TAKE_FD(fd);
	}
	return 0;
}

static int read_image(struct store *s, const char *name, struct store_view *v, struct err *e)
{
	scoped_fd int fd = -1;
	char file[STORE_IMAGE_FILE];
	int r;

	/*
	 * Read the list and the configuration of one image: an unpack of this name may replace it.
	 */
	r = store_lock(s, STORE_IMAGES, LOCK_SHARED, e);
	if (r < 0)
		return r;
	r = store_image_dirs(s, name, &v->dirs, e);
	if (r == 0)
		r = store_image_file(name, file, e);
	if (r == 0)
		r = fd_open_beneath(s->images, file, O_RDONLY | O_DIRECTORY, &fd, e);
	if (r == 0)
		r = fd_read_file(fd, "config.json", JSON_MAX_BYTES, &v->config, e);
	if (r < 0 && fd >= 0) {
		err_prefix(e, "image '%s'", name);
		err_try(e, "unpack the image again: shiftbox image-unpack -N %s SOURCE", name);
	}
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	return r;
}

int store_view_open(struct store *s, const char *name, struct store_view *ret, struct err *e)
{
	scoped_view struct store_view v = { .store = s,
		.user_xattr = userns_is_nested() || geteuid() != 0 };
	int r = store_lock_layers(s, e);

	if (r == 0)
		r = read_image(s, name, &v, e);
	if (r == 0)
		r = open_layers(&v, e);
	if (r < 0)
		return r;

	*ret = v;
	v = (struct store_view){ .store = NULL };
	return 0;
}

void store_view_done(struct store_view *v)
{
	for (size_t i = 0; i < v->fds.len; i++)
		cleanup_fd(&v->fds.items[i]);
	VEC_DONE(&v->fds);
	strv_done(&v->dirs);
	buf_done(&v->config);
}

/* --- Paths --- */

/* The resolution of a path. Both buffers are relative to the image's root; at contains no links. */
struct view_walk {
	struct buf at;   /* resolved so far: "" or "usr/lib" */
	struct buf rest; /* not yet resolved, from pos on */
	size_t pos;
	unsigned links;
};

static void walk_up(struct view_walk *w)
{
	char *slash = w->at.len ? strrchr(w->at.data, '/') : NULL;

	w->at.len = slash ? (size_t)(slash - w->at.data) : 0;
	if (w->at.data)
		w->at.data[w->at.len] = '\0';
}

/* Replace the symbolic link at the end of at by its target. */
static int walk_link(
	struct view_walk *w, const struct lower_hit *hit, const char *path, struct err *e)
{
	scoped_buf struct buf rest = BUF_INIT;
	char target[PATH_MAX];
	ssize_t n;

	if (++w->links > MAX_LINKS)
		return err_set(e, ELOOP, path, "cannot find the file in the image");
	n = readlinkat(hit->fd, hit->name, target, sizeof(target));
	if (n < 0)
		return err_set(e, errno, path, "cannot read a symbolic link of the image");
	if (n && target[0] == '/')
		buf_reset(&w->at);
	else
		walk_up(w);
	buf_add(&rest, target, (size_t)n);
	buf_char(&rest, '/');
	buf_str(&rest, w->rest.data + w->pos);
	if (!buf_get(&rest))
		return err_nomem(e);
	buf_done(&w->rest);
	w->rest = rest;
	w->pos = 0;
	rest = BUF_INIT;
	return 0;
}

/* Move the next component from rest to at. False if there is none. */
static bool walk_next(struct view_walk *w)
{
	for (;;) {
		const char *p = w->rest.data + w->pos;
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		w->pos = (size_t)(p - w->rest.data) + n;
		if (!n)
			return false;
		if (n == 1 && p[0] == '.')
			continue;
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			walk_up(w);
			continue;
		}
		if (w->at.len)
			buf_char(&w->at, '/');
		buf_add(&w->at, p, n);
		return true;
	}
}

static int walk(struct view_walk *w, const struct lower *lower, const char *path,
	struct lower_hit *ret, struct err *e)
{
	int r;

	buf_str(&w->rest, path);
	if (!buf_get(&w->rest))
		return err_nomem(e);
	while (walk_next(w)) {
		scoped_hit struct lower_hit hit = LOWER_HIT_INIT;

		if (!buf_get(&w->at))
			return err_nomem(e);
		r = lower_find(lower, buf_get(&w->at), &hit, e);
		if (r > 0 && S_ISLNK(hit.st.st_mode))
			r = walk_link(w, &hit, path, e);
		else if (r == 0)
			return 0;
		if (r < 0)
			return r;
	}
	return lower_find(lower, buf_get(&w->at), ret, e);
}

int store_view_find(
	const struct store_view *v, const char *path, struct lower_hit *ret, struct err *e)
{
	const struct lower lower = {
		.dirfds = v->fds.items, .n = v->fds.len, .user_xattr = v->user_xattr
	};
	struct view_walk w = { .at = BUF_INIT, .rest = BUF_INIT };
	int r = walk(&w, &lower, path, ret, e);

	buf_done(&w.at);
	buf_done(&w.rest);
	return r;
}

int store_view_read(
	const struct store_view *v, const char *path, size_t max, struct buf *ret, struct err *e)
{
	scoped_hit struct lower_hit hit = LOWER_HIT_INIT;
	scoped_fd int fd = -1;
	int r = store_view_find(v, path, &hit, e);

	if (r <= 0)
		return r;
	r = lower_open(&hit, path, &fd, e);
	if (r == 0)
		r = fd_read_all(fd, path, max, ret, e);
	if (r < 0)
		err_prefix(e, "the image's %s", path);
	return r < 0 ? r : 1;
}

int store_view_entries(const struct store_view *v, int (*fn)(const struct mtree_entry *, void *),
	void *arg, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < v->dirs.len; i++) {
		scoped_fd int fd = -1;
		char name[128];

		(void)snprintf(name, sizeof(name), "%s.mtree",
			v->dirs.items[i]); /* fits: a layer's name has at most 88 bytes */
		r = fd_open_regular(v->store->layers, name, O_NOFOLLOW, &fd, e);
		if (r == 0)
			r = mtree_read(&(struct mtree_input){ fd, name, MTREE_ALL, 1 }, fn, arg, e);
	}
	return r;
}
