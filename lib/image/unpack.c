/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unpack: the layers of an image are read, several at a time. */

#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/proc.h"
#include "../store/tempdir.h"
#include "../tar/blob.h"
#include "unpack_priv.h"

/*
 * PADDING: so many bytes may follow the end of an archive anyway: tar fills the last record with
 * zeros.
 */
enum { MAX_JOBS = 64, OPEN_FILES = 65536, PADDING = 1 << 20 };

void work_tell(struct work *w, struct job *j, int state)
{
	struct progress *p = w->opts->progress;

	if (!p)
		return;
	__atomic_store_n(&j->item->entries, __atomic_load_n(&j->counts.entries, __ATOMIC_RELAXED),
		__ATOMIC_RELAXED);
	__atomic_store_n(&j->item->bytes, __atomic_load_n(&j->counts.bytes, __ATOMIC_RELAXED),
		__ATOMIC_RELAXED);
	__atomic_store_n(&j->item->state, state, __ATOMIC_RELAXED);
	if (p->changed)
		p->changed(p, j->item);
}

void work_changed(struct work *w)
{
	struct progress *p = w->opts->progress;

	if (p && p->changed)
		p->changed(p, NULL);
}

int work_name_layer(const struct work *w, const struct job *j, int r, struct err *e)
{
	blob_say_try(r, e);
	err_prefix(e, "image '%s', layer %zu of %zu (%s)", w->opts->name, j->i + 1, w->n,
		j->src->name);
	return r;
}

/* The stream of one layer, from its first byte to its last. */
static int read_layer(struct work *w, struct job *j, struct blob *b, struct err *e)
{
	struct layer_options o = w->opts->layer;
	uint64_t counted;
	char name[32];
	int r;

	o.counts = &j->counts;
	r = layer_apply(blob_read, b, w->stage, tempdir_entry(j->i, "", name), &o, &j->layer, e);
	if (r < 0)
		return blob_blame(b, r, e);
	counted = __atomic_load_n(o.totals ? &o.totals->bytes : &j->counts.bytes, __ATOMIC_RELAXED);
	return blob_finish(b,
		o.limits.bytes > counted + PADDING ? o.limits.bytes - counted : PADDING, &j->sums,
		e);
}

int work_read_layer(struct work *w, struct job *j, struct err *e)
{
	scoped_blob struct blob *b = NULL;
	struct blob_input in = {
		.size = j->src->size,
		.stop = &w->failed,
		.progress = j->item ? &j->item->done : NULL,
		.digest = j->src->has_digest ? &j->src->digest : NULL,
		.diff_id = j->src->has_diff_id ? &j->src->diff_id : NULL,
	};
	scoped_fd int fd = -1;
	int r;

	work_tell(w, j, PROGRESS_RUNNING);
	r = w->src->open_layer(w->src, j->i, &fd, &in.offset, e);
	if (r == 0) {
		in.fd = fd;
		r = blob_start(&in, &b, e);
	}
	if (r == 0)
		r = read_layer(w, j, b, e);
	if (r == 0) {
		j->diff_id = j->sums.diff_id;
		j->root_opaque = layer_root_opaque(j->layer);
		log_verbose("layer %zu of %zu (%s): %s, %" PRIu64 " bytes, %" PRIu64 " unpacked",
			j->i + 1, w->n, j->src->name, j->sums.format, j->sums.size,
			j->sums.unpacked);
	}
	work_tell(w, j, r < 0 ? PROGRESS_FAILED : PROGRESS_DONE);
	blob_free(TAKE_PTR(b)); /* before its descriptor is closed */
	return r < 0 ? work_name_layer(w, j, r, e) : 0;
}

/* The first failure is the one that is told; the rest follows from it. */
static void fail(struct work *w, int r, const struct err *e)
{
	(void)pthread_mutex_lock(&w->lock);
	if (w->result == 0 || (w->result == -ECANCELED && r != -ECANCELED)) {
		w->result = r;
		w->err = *e;
	}
	(void)pthread_mutex_unlock(&w->lock);
	__atomic_store_n(&w->failed, 1, __ATOMIC_RELAXED);
}

static struct job *next_job(struct work *w)
{
	struct job *j = NULL;

	(void)pthread_mutex_lock(&w->lock);
	if (w->result == 0 && w->next < w->n_order)
		j = &w->jobs[w->order[w->next++]];
	(void)pthread_mutex_unlock(&w->lock);
	return j;
}

static void *worker(void *arg)
{
	struct work *w = arg;
	struct job *j;

	while ((j = next_job(w))) {
		struct err err = ERR_INIT;
		int r = work_read_layer(w, j, &err);

		if (r < 0)
			fail(w, r, &err);
	}
	return NULL;
}

static int by_size(const void *a, const void *b, void *arg)
{
	const struct job *jobs = arg;
	uint64_t x = jobs[*(const size_t *)a].src->size, y = jobs[*(const size_t *)b].src->size;

	return x < y ? 1 : x > y ? -1 : 0;
}

int work_read(struct work *w, struct err *e)
{
	uint32_t n = w->opts->jobs ? w->opts->jobs : proc_processors();
	pthread_t threads[MAX_JOBS];
	uint32_t started = 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->jobs[i].plan == READ)
			w->order[w->n_order++] = i;
	qsort_r(w->order, w->n_order, sizeof(*w->order), by_size, w->jobs);
	work_changed(w);

	if (n > MAX_JOBS)
		n = MAX_JOBS;
	if (n > w->n_order)
		n = (uint32_t)w->n_order;
	/* This thread is one of them, so that the work is done even where no thread can be had. */
	while (started + 1 < n && pthread_create(&threads[started], NULL, worker, w) == 0)
		started++;
	if (started + 1 < n)
		log_verbose("%u workers instead of %u: no more threads can be had", started + 1, n);
	(void)worker(w);
	for (uint32_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);

	if (w->result < 0)
		*e = w->err;
	return w->result;
}

static int work_alloc(struct work *w, struct err *e)
{
	struct progress *p = w->opts->progress;
	size_t n = w->n + 1;

	w->jobs = calloc(n, sizeof(*w->jobs));
	w->order = calloc(n, sizeof(*w->order));
	if (!w->jobs || !w->order)
		return err_nomem(e);
	if (!p)
		return 0;
	p->n = w->n;
	p->items = calloc(n, sizeof(*p->items));
	return p->items ? 0 : err_nomem(e);
}

/* Each layer keeps a directory open, and an image may have hundreds. */
static void raise_open_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur == l.rlim_max ||
		l.rlim_cur >= OPEN_FILES)
		return;
	l.rlim_cur = l.rlim_max < OPEN_FILES ? l.rlim_max : OPEN_FILES;
	(void)setrlimit(RLIMIT_NOFILE, &l); /* where it does not help, opening a file will say so */
}

int work_init(
	struct work *w, const struct source *src, const struct unpack_options *opts, struct err *e)
{
	int r;

	*w = (struct work){ .src = src, .opts = opts, .stage = -1, .n = src->n_layers };
	(void)pthread_mutex_init(&w->lock, NULL); /* cannot fail on Linux */
	raise_open_files();
	r = work_alloc(w, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < w->n; i++) {
		struct job *j = &w->jobs[i];

		j->src = &src->layers[i];
		j->i = i;
		j->fd = -1;
		j->plan = READ;
		if (!opts->progress)
			continue;
		j->item = &opts->progress->items[i];
		j->item->name = j->src->name;
		j->item->total = j->src->size == BLOB_SIZE_UNKNOWN ? 0 : j->src->size;
	}
	return 0;
}

void work_done(struct work *w)
{
	for (size_t i = 0; w->jobs && i < w->n; i++) {
		struct job *j = &w->jobs[i];

		layer_free(j->layer);
		if (j->fd >= 0 && j->src)
			(void)close(j->fd);
		buf_done(&j->answers);
		free(j->dir);
	}
	if (w->opts->progress) {
		free(w->opts->progress->items);
		w->opts->progress->items = NULL;
	}
	free(w->jobs);
	free(w->order);
	(void)pthread_mutex_destroy(&w->lock);
}
