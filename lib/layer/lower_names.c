/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lower_names: list a directory of the merged view of the layers below. */

#include "lower_names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/stop.h"

void lower_names_done(struct lower_names *l)
{
	buf_done(&l->text);
	VEC_DONE(&l->list);
}

/* A directory of one layer. */
struct source_dir {
	const struct lower_walk *w;
	const char *path; /* for messages */
	int fd;
	size_t layer;
	bool ghosts; /* whiteouts may be files with an attribute */
};

static int failed(const struct source_dir *s, int num, struct err *e)
{
	return err_set(e, num, *s->path ? s->path : ".", "cannot list it in the layers below");
}

/* Find out what the entry is; most filesystems say its type without a further call. */
static int classify(
	const struct source_dir *s, const struct dirent *d, struct lower_name *ret, struct err *e)
{
	struct stat st;

	ret->dir = d->d_type == DT_DIR;
	if (d->d_type != DT_CHR && d->d_type != DT_UNKNOWN && (d->d_type != DT_REG || !s->ghosts))
		return 0;
	if (fstatat(s->fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(s, errno, e);
	ret->dir = S_ISDIR(st.st_mode);
	ret->whiteout = lower_is_whiteout(&st, s->fd, d->d_name, s->w->lower.user_xattr);
	return 0;
}

static int add_name(
	const struct source_dir *s, const struct dirent *d, struct lower_names *ret, struct err *e)
{
	struct lower_name n = { .at = ret->text.len, .layer = s->layer };
	int r;

	if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
		return 0;
	r = classify(s, d, &n, e);
	if (r < 0)
		return r;
	buf_add(&ret->text, d->d_name, strlen(d->d_name) + 1);
	return ret->text.oom || VEC_ADD(&ret->list, n) < 0 ? err_nomem(e) : 0;
}

static int read_names(const struct source_dir *s, DIR *dir, struct lower_names *ret, struct err *e)
{
	int r = stop_check(e);

	while (r == 0) {
		const struct dirent *d;

		errno = 0;
		d = readdir(dir);
		if (!d)
			return errno ? failed(s, errno, e) : 0;
		r = add_name(s, d, ret, e);
		if (r == 0)
			r = stop_check(e);
	}
	return r;
}

/* Add the names in the directory that fd, opened with O_PATH, refers to. */
static int add_dir(struct source_dir *s, int fd, struct lower_names *ret, struct err *e)
{
	int r;
	DIR *dir;

	s->fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = s->fd < 0 ? NULL : fdopendir(s->fd);
	if (!dir) {
		r = failed(s, errno, e);
		cleanup_fd(&s->fd);
		return r;
	}
	s->ghosts = lower_has_mark(fd, ".", s->w->lower.user_xattr, "opaque", 'x');
	r = read_names(s, dir, ret, e);
	(void)closedir(dir);
	return r;
}

static int by_name(const void *a, const void *b)
{
	const struct lower_name *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : x->layer < y->layer ? -1 : x->layer > y->layer;
}

/* Sort the names, and keep of each the topmost one, unless that is a whiteout. */
static void merge(struct lower_names *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->list.len; i++)
		l->list.items[i].name = l->text.data + l->list.items[i].at;
	if (l->list.len)
		qsort(l->list.items, l->list.len, sizeof(*l->list.items), by_name);
	for (size_t i = 0, end; i < l->list.len; i = end) {
		for (end = i + 1; end < l->list.len; end++)
			if (strcmp(l->list.items[i].name, l->list.items[end].name) != 0)
				break;
		if (!l->list.items[i].whiteout)
			l->list.items[n++] = l->list.items[i];
	}
	l->list.len = n;
}

int lower_walk_names(struct lower_walk *w, const char *path, struct lower_names *ret, struct err *e)
{
	scoped_hit struct lower_hit hit = LOWER_HIT_INIT;
	const int *dirs = w->lower.dirfds;
	size_t n = w->lower.n;
	int r = lower_walk_find(w, path, &hit, e);

	if (r <= 0 || !S_ISDIR(hit.st.st_mode))
		return r < 0 ? r : 0;
	if (*path) {
		const struct lower_level *v = &w->levels.items[w->levels.len - 1];

		dirs = v->dirs.items; /* lower_walk_find() leaves the directory's own level open */
		n = v->dirs.len;
	}
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = add_dir(
			&(struct source_dir){ .w = w, .path = path, .layer = i }, dirs[i], ret, e);
	if (r < 0)
		return r;
	merge(ret);
	return 1;
}
