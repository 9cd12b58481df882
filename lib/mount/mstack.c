/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mstack: read a directory NAME.mstack, strictly. */

#include "mstack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../base/path.h"

/*
 * --- the entries -------------------------------------------------------------------------------
 */

/* Binds of both kinds are sorted together: one may be inside another. */
static int rank(const struct mstack_entry *x)
{
	return x->kind == MSTACK_ROBIND ? MSTACK_BIND : (int)x->kind;
}

static int compare_words(const struct mstack_entry *x, const struct mstack_entry *y)
{
	if (x->kind == MSTACK_LAYER)
		return mstack_id_compare(x->word, y->word);
	return x->word ? strcmp(x->word, y->word) : 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct mstack_entry *x = a, *y = b;

	return rank(x) != rank(y) ? rank(x) - rank(y) : compare_words(x, y);
}

static int check_unique(const struct mstack *m, const char *path, struct err *e)
{
	for (size_t i = 1; i < m->entries.len; i++) {
		const struct mstack_entry *x = &m->entries.items[i - 1], *y = &m->entries.items[i];

		if (compare_entries(x, y))
			continue;
		(void)err_say(e, EEXIST, path, "%s: '%s' and '%s'",
			x->kind == MSTACK_LAYER ? "two layers have the same version" :
						  "two mounts have the same place",
			x->name, y->name);
		err_op(e, "mstack");
		err_try(e, "remove or rename one of them");
		return -EEXIST;
	}
	return 0;
}

/*
 * --- the directory -----------------------------------------------------------------------------
 */

static int check_dir(int dir, const char *path, struct err *e)
{
	struct statfs fs;
	struct stat st;

	if (fstat(dir, &st) < 0 || fstatfs(dir, &fs) < 0)
		return err_set(e, errno, path, "cannot stat the directory");
	/* In a sticky directory, others can still create names. */
	if (!path_is_kept(dir) || (st.st_mode & S_ISVTX && st.st_mode & (S_IWGRP | S_IWOTH))) {
		(void)err_say(e, EPERM, path,
			"other users could write there (user %u, mode %04o), and so decide what is "
			"mounted",
			st.st_uid, st.st_mode & 07777);
		err_try(e,
			"let it belong to root or to the caller, and take write permission from "
			"others: chmod go-w");
	} else if (geteuid() == 0 && fs.f_type == FUSE_SUPER_MAGIC) {
		(void)err_say(e, EPERM, path,
			"is on a FUSE filesystem, whose server decides what is mounted");
		err_try(e, "copy the directory, with its symbolic links, to another filesystem");
	} else {
		return 0;
	}
	err_op(e, "mstack");
	return -EPERM;
}

static int read_entry(int dir, const char *path, const char *name, struct mstack *m, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	struct mstack_entry x;
	scoped_fd int fd = -1;
	struct stat st;
	int r;

	buf_printf(&b, "%s/%s", path, name);
	if (!buf_get(&b))
		return err_nomem(e);
	r = path_open_in(dir, name, O_PATH, "cannot open it", &fd, e);
	if (r == -ENOENT)
		err_why(e,
			"it is a symbolic link to something that does not exist: layers of a store "
			"are pruned when no image has them any more");
	if (r < 0)
		err_prefix(e, "'%s'", path);
	if (r == 0 && fstat(fd, &st) < 0)
		r = err_set(e, errno, b.data, "cannot stat it");
	if (r == 0)
		r = mstack_entry_parse(b.data, st.st_mode & S_IFMT, &x, e);
	if (r < 0)
		return r;
	x.dev = st.st_dev;
	x.ino = st.st_ino;
	if (VEC_ADD(&m->entries, x) == 0)
		return 0;
	mstack_entry_done(&x);
	return err_nomem(e);
}

static int read_entries(int dir, DIR *list, const char *path, struct mstack *m, struct err *e)
{
	const struct dirent *d;
	int r = 0;

	while (r == 0 && (errno = 0, d = readdir(list)))
		if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
			r = read_entry(dir, path, d->d_name, m, e);
	return r == 0 && errno ? err_set(e, errno, path, "cannot list the directory") : r;
}

int mstack_read(int dir, const char *path, struct mstack *ret, struct err *e)
{
	scoped_mstack struct mstack m = { .entries = { 0 } };
	int fd, r = check_dir(dir, path, e);
	DIR *list;

	if (r < 0)
		return r;
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list = fd < 0 ? NULL : fdopendir(fd);
	if (!list) {
		r = err_set(e, errno, path, "cannot list the directory");
		cleanup_fd(&fd);
		return r;
	}
	r = read_entries(dir, list, path, &m, e);
	(void)closedir(list); /* only read from */
	if (r == 0 && m.entries.len)
		qsort(m.entries.items, m.entries.len, sizeof(*m.entries.items), compare_entries);
	if (r == 0)
		r = check_unique(&m, path, e);
	if (r < 0)
		return r;
	*ret = m;
	m = (struct mstack){ .entries = { 0 } };
	return 0;
}

/* Append a path to the path in b, without its components "." and "..". */
static void add_path(struct buf *b, const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && !memcmp(path, "..", 2)) {
			while (b->len && b->data[b->len - 1] != '/')
				b->len--;
			b->len -= b->len > 0;
		} else if (n && !(n == 1 && *path == '.')) {
			buf_char(b, '/');
			buf_add(b, path, n);
		}
		path += n;
		path += *path == '/';
	}
}

static int add_link(const char *path, int dir, const char *name, struct strv *ret)
{
	scoped_buf struct buf b = BUF_INIT;
	char text[PATH_MAX];
	ssize_t n = readlinkat(dir, name, text, sizeof(text) - 1);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	if (*text != '/')
		add_path(&b, path);
	add_path(&b, text);
	buf_str(&b, b.len ? "" : "/");
	return buf_get(&b) ? strv_add(ret, buf_get(&b)) : -ENOMEM;
}

int mstack_link_paths(const char *path, struct strv *ret, struct err *e)
{
	const struct dirent *d;
	int fd = -1, r = 0;
	DIR *list;

	if (path_open(path, O_RDONLY | O_DIRECTORY, "cannot open it", NULL, &fd, NULL) < 0)
		return 0;
	list = fdopendir(fd);
	if (!list) {
		cleanup_fd(&fd);
		return err_nomem(e);
	}
	while (r == 0 && (d = readdir(list)))
		r = add_link(path, fd, d->d_name, ret);
	(void)closedir(list); /* only read from */
	return r < 0 ? err_nomem(e) : 0;
}

const struct mstack_entry *mstack_find(const struct mstack *m, enum mstack_kind kind)
{
	for (size_t i = 0; i < m->entries.len; i++)
		if (m->entries.items[i].kind == kind)
			return &m->entries.items[i];
	return NULL;
}

void mstack_done(struct mstack *m)
{
	for (size_t i = 0; i < m->entries.len; i++)
		mstack_entry_done(&m->entries.items[i]);
	VEC_DONE(&m->entries);
}
