/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* walk: distribute the directories of a tree among threads. */

#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "../base/sys.h"
#include "../base/vec.h"

/* The threads need little stack: the default of 8 MiB would be wasted. */
enum { STACK_SIZE = 256 << 10 };

typedef struct {
	struct walk_dir **items;
	size_t len, cap;
} dir_stack;

struct walk_worker {
	struct walk *walk;
	unsigned index;
	pthread_t thread;
	dir_stack own; /* used by this thread only */
	struct err err;
	int r;
};

struct walk {
	pthread_mutex_t lock;
	pthread_cond_t work;
	dir_stack shared; /* under lock */
	unsigned threads;
	unsigned waiting; /* written under lock, read without it */
	bool stop;        /* written under lock, read without it; also set at the normal end */
	walk_fn *fn;
	void *arg;
	struct walk_worker *workers;
};

/* --- directories ------------------------------------------------------------------------------ */

static struct walk_dir *dir_new(struct walk_dir *parent, const char *name, void *tag)
{
	size_t len = strlen(name);
	struct walk_dir *d = malloc(sizeof(*d) + len + 1);

	if (!d)
		return NULL;
	d->parent = parent;
	d->tag = tag;
	d->refs = 1;
	d->depth = parent ? parent->depth + 1 : 0;
	d->path_len = parent ? parent->path_len + (parent->path_len > 0) + len : 0;
	memcpy(d->name, name, len + 1);
	if (parent)
		(void)walk_dir_ref(parent);
	return d;
}

struct walk_dir *walk_dir_ref(struct walk_dir *d)
{
	__atomic_fetch_add(&d->refs, 1, __ATOMIC_RELAXED);
	return d;
}

bool walk_dir_is_wanted(const struct walk_dir *d)
{
	return __atomic_load_n(&d->refs, __ATOMIC_RELAXED) > 1;
}

/* A loop, not recursion: a chain of directories may be very long. */
void walk_dir_unref(struct walk_dir *d)
{
	while (d && __atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		struct walk_dir *parent = d->parent;

		free(d);
		d = parent;
	}
}

void walk_path(const struct walk_dir *d, const char *name, struct buf *ret)
{
	size_t start = ret->len;

	/* Reserve the bytes of the path, then fill in the names from the last to the first. */
	for (size_t i = 0; i < d->path_len; i++)
		buf_char(ret, '/');
	if (ret->oom)
		return;
	for (; d->parent; d = d->parent) {
		size_t len = strlen(d->name);

		memcpy(ret->data + start + d->path_len - len, d->name, len);
	}
	if (name) {
		if (ret->len > start)
			buf_char(ret, '/');
		buf_str(ret, name);
	}
}

/* The length of the longest prefix of path that fits into PATH_MAX and ends before a '/'. */
static size_t piece_len(const char *path)
{
	size_t len = strlen(path);

	if (len < PATH_MAX)
		return len;
	for (len = PATH_MAX - 1; len && path[len] != '/'; len--)
		;
	return len;
}

int walk_open(int root, const char *path, int flags)
{
	const struct open_how last = {
		.flags = (uint64_t)(flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			RESOLVE_NO_XDEV,
	};
	struct open_how between = last;
	scoped_fd int at = -1;
	char piece[PATH_MAX];
	size_t len;

	between.flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	for (len = piece_len(path); path[len]; len = piece_len(path)) {
		int fd;

		if (!len)
			return -ENAMETOOLONG;
		memcpy(piece, path, len);
		piece[len] = '\0';
		fd = sys_openat2(at >= 0 ? at : root, piece, &between);
		if (fd < 0)
			return -errno;
		cleanup_fd(&at);
		at = fd;
		path += len + 1;
	}

	len = (size_t)sys_openat2(at >= 0 ? at : root, *path ? path : ".", &last);
	return (int)len < 0 ? -errno : (int)len;
}

/* --- threads ---------------------------------------------------------------------------------- */

static bool stopped(const struct walk *w)
{
	return __atomic_load_n(&w->stop, __ATOMIC_RELAXED);
}

static void stop_all(struct walk *w)
{
	pthread_mutex_lock(&w->lock);
	__atomic_store_n(&w->stop, true, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&w->work);
	pthread_mutex_unlock(&w->lock);
}

void walk_stop(struct walk_worker *w)
{
	stop_all(w->walk);
}

static bool wanted(const struct walk *w)
{
	return __atomic_load_n(&w->waiting, __ATOMIC_RELAXED);
}

/* Give the oldest half of the thread's directories away: they are nearest to the root. */
static int give(struct walk_worker *w)
{
	size_t n = (w->own.len + 1) / 2, i = 0;
	int r = 0;

	pthread_mutex_lock(&w->walk->lock);
	if (w->walk->shared.len >= w->walk->waiting)
		n = 0; /* there is a directory for each waiting thread already */
	for (; i < n && r == 0; i++)
		r = VEC_ADD(&w->walk->shared, w->own.items[i]);
	i -= r < 0;
	if (i > 1)
		pthread_cond_broadcast(&w->walk->work);
	else if (i)
		pthread_cond_signal(&w->walk->work);
	pthread_mutex_unlock(&w->walk->lock);

	w->own.len -= i;
	memmove(w->own.items, w->own.items + i, w->own.len * sizeof(*w->own.items));
	return r;
}

int walk_push(struct walk_worker *w, struct walk_dir *d, const char *name, void *tag)
{
	struct walk_dir *child = dir_new(d, name, tag);
	int r;

	if (!child)
		return -ENOMEM;
	r = VEC_ADD(&w->own, child);
	if (r < 0) {
		walk_dir_unref(child);
		return r;
	}
	/* Otherwise an idle thread would wait until the rest of a large directory is read. */
	return wanted(w->walk) ? give(w) : 0;
}

/* Take a directory from the shared stack. Returns NULL at the end: when all threads wait here. */
static struct walk_dir *take(struct walk *w)
{
	struct walk_dir *d = NULL;

	pthread_mutex_lock(&w->lock);
	__atomic_store_n(&w->waiting, w->waiting + 1, __ATOMIC_RELAXED);
	while (!w->shared.len && !w->stop) {
		if (w->waiting == w->threads) {
			__atomic_store_n(&w->stop, true, __ATOMIC_RELAXED);
			pthread_cond_broadcast(&w->work);
			break;
		}
		pthread_cond_wait(&w->work, &w->lock);
	}
	if (w->shared.len && !w->stop)
		d = w->shared.items[--w->shared.len];
	__atomic_store_n(&w->waiting, w->waiting - 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&w->lock);
	return d;
}

static void *work(void *arg)
{
	struct walk_worker *w = arg;

	while (!stopped(w->walk)) {
		struct walk_dir *d = w->own.len ? w->own.items[--w->own.len] : take(w->walk);

		if (!d)
			break;
		if (w->own.len && wanted(w->walk))
			(void)give(w); /* out of memory: this thread visits them itself */
		w->r = w->walk->fn(w, w->index, d, w->walk->arg, &w->err);
		walk_dir_unref(d);
		if (w->r < 0) {
			stop_all(w->walk);
			break;
		}
	}
	return NULL;
}

/* Returns the number of threads that were started in addition to this one. */
static unsigned start(struct walk *w)
{
	pthread_attr_t attr;
	unsigned n;

	if (pthread_attr_init(&attr) != 0)
		return 0;
	(void)pthread_attr_setstacksize(&attr, STACK_SIZE); /* the default works, too */
	for (n = 1; n < w->threads; n++)
		if (pthread_create(&w->workers[n].thread, &attr, work, &w->workers[n]) != 0)
			break;
	(void)pthread_attr_destroy(&attr);
	return n - 1;
}

static void stack_done(dir_stack *s)
{
	for (size_t i = 0; i < s->len; i++)
		walk_dir_unref(s->items[i]);
	VEC_DONE(s);
}

static int run(struct walk *w, struct err *e)
{
	unsigned started;
	int r = 0;

	/* The lock keeps threads from comparing waiting with threads before that is known. */
	pthread_mutex_lock(&w->lock);
	started = start(w);
	w->threads = started + 1;
	pthread_mutex_unlock(&w->lock);

	(void)work(&w->workers[0]);
	for (unsigned i = 1; i <= started; i++)
		(void)pthread_join(
			w->workers[i].thread, NULL); /* cannot fail: each is joined once */

	for (unsigned i = 0; i <= started; i++) {
		if (w->workers[i].r < 0 && r == 0) {
			r = w->workers[i].r;
			if (e)
				*e = w->workers[i].err;
		}
		stack_done(&w->workers[i].own);
	}
	stack_done(&w->shared);
	return r;
}

int walk_run(unsigned threads, void *root_tag, walk_fn *fn, void *arg, struct err *e)
{
	struct walk w = { .threads = threads ? threads : 1, .fn = fn, .arg = arg };
	struct walk_dir *root = dir_new(NULL, "", root_tag);
	int r = -ENOMEM;

	w.workers = calloc(w.threads, sizeof(*w.workers));
	if (root && w.workers)
		r = VEC_ADD(&w.workers[0].own, root);
	if (r < 0) {
		free(root);
		free(w.workers);
		return err_nomem(e);
	}
	for (unsigned i = 0; i < w.threads; i++)
		w.workers[i] =
			(struct walk_worker){ .walk = &w, .index = i, .own = w.workers[i].own };

	(void)pthread_mutex_init(&w.lock, NULL); /* never fails on Linux */
	(void)pthread_cond_init(&w.work, NULL);
	r = run(&w, e);
	(void)pthread_cond_destroy(&w.work);
	(void)pthread_mutex_destroy(&w.lock);
	free(w.workers);
	return r;
}
