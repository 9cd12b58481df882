/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unpack: read the layers of a source concurrently. */

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
#include "../base/stop.h"
#include "../store/tempdir.h"
#include "../tar/blob.h"
#include "unpack_priv.h"

/*
 * PADDING: number of bytes that may follow the end of an archive in any case, because tar fills the
 * last record with zeros.
 */
enum { MAX_JOBS = 64, OPEN_FILES = 65536, PADDING = 1 << 20 };

void unpack_report(struct unpack_work *w, struct unpack_layer *l, int state)
{
	struct progress *p = w->opts->progress;

	if (!p)
		return;
	__atomic_store_n(&l->item->entries, __atomic_load_n(&l->counts.entries, __ATOMIC_RELAXED),
		__ATOMIC_RELAXED);
	__atomic_store_n(&l->item->bytes, __atomic_load_n(&l->counts.bytes, __ATOMIC_RELAXED),
		__ATOMIC_RELAXED);
	__atomic_store_n(&l->item->state, state, __ATOMIC_RELAXED);
	if (p->changed)
		p->changed(p, l->item);
}

void unpack_writing(const struct unpack_work *w)
{
	if (w->opts->progress)
		__atomic_store_n(&w->opts->progress->writing, true, __ATOMIC_RELAXED);
}

void unpack_redraw(struct unpack_work *w)
{
	struct progress *p = w->opts->progress;

	if (p && p->changed)
		p->changed(p, NULL);
}

int unpack_name_layer(
	const struct unpack_work *w, const struct unpack_layer *l, int r, struct err *e)
{
	blob_say_try(r, e);
	err_prefix(e, "image '%s', layer %zu of %zu (%s)", w->opts->name, l->i + 1, w->n_layers,
		l->src->name);
	return r;
}

int unpack_check_plain(
	const struct source_layer *l, const struct members *m, uint64_t bytes, struct err *e)
{
	enum members_kind kind = l->plain ? members_kind(m) : MEMBERS_LAYER;

	if (kind == MEMBERS_NONE ? l->may_be_empty && bytes : l->declared)
		return 0;
	return members_refuse(kind, NULL, l->name, e);
}

/* Unpack the stream of one layer, and read it to its end. */
static int read_layer(struct unpack_work *w, struct unpack_layer *l, struct blob *b, struct err *e)
{
	struct layer_options o = w->opts->layer;
	uint64_t counted;
	char name[32];
	int r;

	o.counts = &l->counts;
	o.members = l->src->plain ? &l->members : NULL;
	r = layer_apply(blob_read, b,
		&(struct layer_dir){ w->dirfd, tempdir_entry(l->i, "", name) }, &o, &l->layer, e);
	if (r < 0)
		return blob_blame(b, r, e);
	counted = __atomic_load_n(o.totals ? &o.totals->bytes : &l->counts.bytes, __ATOMIC_RELAXED);
	r = blob_finish(b, o.limits.bytes > counted + PADDING ? o.limits.bytes - counted : PADDING,
		&l->sums, e);
	return r == 0 ? unpack_check_plain(l->src, &l->members, l->sums.unpacked, e) : r;
}

int unpack_read_layer(struct unpack_work *w, struct unpack_layer *l, struct err *e)
{
	scoped_blob struct blob *b = NULL;
	struct blob_input in = {
		.size = l->src->size,
		.stop = &w->failed,
		.progress = l->item ? &l->item->done : NULL,
		.digest = l->src->has_digest ? &l->src->digest : NULL,
		.diff_id = l->src->has_diff_id ? &l->src->diff_id : NULL,
	};
	scoped_fd int fd = -1;
	int r;

	unpack_report(w, l, PROGRESS_RUNNING);
	r = w->src->open_layer(w->src, l->i, &fd, &in.offset, e);
	if (r == 0) {
		in.fd = fd;
		r = blob_start(&in, &b, e);
	}
	if (r == 0)
		r = read_layer(w, l, b, e);
	if (r == 0) {
		l->diff_id = l->sums.diff_id;
		l->root_opaque = layer_root_opaque(l->layer);
		log_verbose("layer %zu of %zu (%s): %s, %" PRIu64 " bytes, %" PRIu64 " unpacked",
			l->i + 1, w->n_layers, l->src->name, l->sums.format, l->sums.size,
			l->sums.unpacked);
	}
	unpack_report(w, l,
		r < 0 && stop_signal() ? PROGRESS_CANCELLED :
			r < 0          ? PROGRESS_FAILED :
					 PROGRESS_DONE);
	blob_free(TAKE_PTR(b)); /* before its descriptor is closed */
	cleanup_fd(&fd);
	fd = -1;
	if (r == -EBADMSG && w->src->blame_layer)
		r = w->src->blame_layer(w->src, l->i, r, e);
	return r < 0 ? unpack_name_layer(w, l, r, e) : 0;
}

/* Keep the first failure: it is the cause of the others. */
static void fail(struct unpack_work *w, int r, const struct err *e)
{
	(void)pthread_mutex_lock(&w->lock);
	if (w->result == 0 || (w->result == -ECANCELED && r != -ECANCELED)) {
		w->result = r;
		w->err = *e;
	}
	(void)pthread_mutex_unlock(&w->lock);
	__atomic_store_n(&w->failed, 1, __ATOMIC_RELAXED);
}

static struct unpack_layer *next_layer(struct unpack_work *w)
{
	struct unpack_layer *l = NULL;

	(void)pthread_mutex_lock(&w->lock);
	if (w->result == 0 && w->next < w->n_order)
		l = &w->layers[w->order[w->next++]];
	(void)pthread_mutex_unlock(&w->lock);
	return l;
}

static void *worker(void *arg)
{
	struct unpack_work *w = arg;
	struct unpack_layer *l;

	while ((l = next_layer(w))) {
		struct err err = ERR_INIT;
		int r = unpack_read_layer(w, l, &err);

		if (r < 0)
			fail(w, r, &err);
	}
	return NULL;
}

static int by_size(const void *a, const void *b, void *arg)
{
	const struct unpack_layer *layers = arg;
	uint64_t x = layers[*(const size_t *)a].src->size, y = layers[*(const size_t *)b].src->size;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* Plain layers may be empty one by one, but not all of them. */
static int check_any_entry(const struct unpack_work *w, struct err *e)
{
	for (size_t i = 0; i < w->n_layers; i++)
		if (!w->layers[i].src->plain || w->layers[i].members.n)
			return 0;
	return w->n_layers ? members_refuse(MEMBERS_NONE, NULL, "", e) : 0;
}

int unpack_read(struct unpack_work *w, struct err *e)
{
	uint32_t n = w->opts->jobs ? w->opts->jobs : proc_processors();
	pthread_t threads[MAX_JOBS];
	uint32_t started = 0;

	for (size_t i = 0; i < w->n_layers; i++)
		if (w->layers[i].plan == PLAN_READ)
			w->order[w->n_order++] = i;
	qsort_r(w->order, w->n_order, sizeof(*w->order), by_size, w->layers);
	unpack_redraw(w);

	if (n > MAX_JOBS)
		n = MAX_JOBS;
	if (n > w->n_order)
		n = (uint32_t)w->n_order;
	/*
	 * The calling thread is one of the workers, so the work is done even if no thread can be
	 * created.
	 */
	while (started + 1 < n && pthread_create(&threads[started], NULL, worker, w) == 0)
		started++;
	if (started + 1 < n)
		log_verbose(
			"%u workers instead of %u: no more threads can be created", started + 1, n);
	(void)worker(w);
	for (uint32_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);

	if (w->result < 0)
		*e = w->err;
	return w->result < 0 ? w->result : check_any_entry(w, e);
}

static int alloc_work(struct unpack_work *w, struct err *e)
{
	struct progress *p = w->opts->progress;
	size_t n = w->n_layers + 1;

	w->layers = calloc(n, sizeof(*w->layers));
	w->order = calloc(n, sizeof(*w->order));
	if (!w->layers || !w->order)
		return err_nomem(e);
	if (!p)
		return 0;
	p->n = w->n_layers;
	p->items = calloc(n, sizeof(*p->items));
	return p->items ? 0 : err_nomem(e);
}

/* Each layer keeps a directory open, and an image may have hundreds of layers. */
static void raise_open_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur == l.rlim_max ||
		l.rlim_cur >= OPEN_FILES)
		return;
	l.rlim_cur = l.rlim_max < OPEN_FILES ? l.rlim_max : OPEN_FILES;
	(void)setrlimit(RLIMIT_NOFILE, &l); /* if this fails, opening a file reports EMFILE */
}

int unpack_work_init(struct unpack_work *w, const struct source *src,
	const struct unpack_options *opts, struct err *e)
{
	int r;

	*w = (struct unpack_work){
		.src = src, .opts = opts, .dirfd = -1, .n_layers = src->n_layers
	};
	(void)pthread_mutex_init(&w->lock, NULL); /* cannot fail on Linux */
	raise_open_files();
	r = alloc_work(w, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < w->n_layers; i++) {
		struct unpack_layer *l = &w->layers[i];

		l->src = &src->layers[i];
		l->i = i;
		l->fd = -1;
		l->plan = PLAN_READ;
		if (!opts->progress)
			continue;
		l->item = &opts->progress->items[i];
		l->item->name = l->src->name;
		l->item->total = l->src->size == BLOB_SIZE_UNKNOWN ? 0 : l->src->size;
	}
	return 0;
}

void unpack_work_done(struct unpack_work *w)
{
	for (size_t i = 0; w->layers && i < w->n_layers; i++) {
		struct unpack_layer *l = &w->layers[i];

		layer_free(l->layer);
		if (l->fd >= 0 && l->src)
			(void)close(l->fd);
		buf_done(&l->deps);
		members_done(&l->members);
		free(l->dir);
	}
	if (w->opts->progress) {
		free(w->opts->progress->items);
		w->opts->progress->items = NULL;
	}
	free(w->layers);
	free(w->order);
	(void)pthread_mutex_destroy(&w->lock);
}

void unpack_sum_up(const struct unpack_work *w, struct unpack_result *ret)
{
	*ret = (struct unpack_result){ .layers = w->n_layers };
	for (size_t i = 0; i < w->n_layers; i++) {
		const struct unpack_layer *l = &w->layers[i];

		if (l->plan != PLAN_READ) {
			ret->shared++;
			continue;
		}
		ret->unpacked++;
		ret->entries += l->counts.entries;
		ret->bytes += l->counts.bytes;
		ret->devices += l->counts.devices;
		ret->unmapped += l->counts.unmapped;
		ret->blob_bytes += l->sums.size;
	}
}
