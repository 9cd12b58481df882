/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unpack: all layers of an image at once, and the image when all are right. */

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
#include "blob.h"
#include "staging.h"
#include "store_priv.h"
#include "unpack_priv.h"

enum { MAX_JOBS = 64, OPEN_FILES = 65536 };

static void tell(struct work *w, struct job *j, enum progress_state state)
{
	struct progress *p = w->opts->progress;

	if (!p)
		return;
	__atomic_store_n(&j->item->entries, __atomic_load_n(&j->counts.entries, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
	__atomic_store_n(&j->item->bytes, __atomic_load_n(&j->counts.bytes, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
	__atomic_store_n(&j->item->state, (int)state, __ATOMIC_RELAXED);
	if (p->changed)
		p->changed(p, j->item);
}

static int name_layer(const struct work *w, const struct job *j, int r, struct err *e)
{
	err_prefix(e, "image '%s', layer %zu of %zu (%s)", w->opts->name, j->i + 1, w->n, j->src->name);
	return r;
}

/* The stream of one layer, from its first byte to its last. */
static int read_layer(struct work *w, struct job *j, struct blob *b, struct err *e)
{
	struct layer_options o = w->opts->layer;
	char name[32];
	int r;

	o.counts = &j->counts;
	r = layer_apply(blob_read, b, staging_fd(w->staging), staging_name(j->i, "", name), &o, &j->layer, e);
	if (r < 0)
		return blob_blame(b, r, e);
	return blob_finish(b, o.limits.bytes, &j->sums, e);
}

static int unpack_layer(struct work *w, struct job *j, struct err *e)
{
	scoped_blob struct blob *b = NULL;
	struct blob_input in = {
		.size = j->src->size, .stop = w->opts->stop, .progress = j->item ? &j->item->done : NULL,
		.digest = j->src->has_digest ? &j->src->digest : NULL,
		.diff_id = j->src->has_diff_id ? &j->src->diff_id : NULL,
	};
	scoped_fd int fd = -1;
	int r;

	tell(w, j, PROGRESS_RUNNING);
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
		log_verbose("layer %zu of %zu (%s): %s, %" PRIu64 " bytes, %" PRIu64 " unpacked", j->i + 1, w->n, j->src->name,
			    j->sums.format, j->sums.size, j->sums.unpacked);
	}
	tell(w, j, r < 0 ? PROGRESS_FAILED : PROGRESS_DONE);
	blob_free(TAKE_PTR(b)); /* before its descriptor is closed */
	return r < 0 ? name_layer(w, j, r, e) : 0;
}

/* The first failure is the one that is told; the rest follows from it. */
static void fail(struct work *w, int r, const struct err *e)
{
	int expected = 0;

	(void)pthread_mutex_lock(&w->lock);
	if (w->result == 0 || (w->result == -ECANCELED && r != -ECANCELED)) {
		w->result = r;
		w->err = *e;
	}
	(void)pthread_mutex_unlock(&w->lock);
	(void)__atomic_compare_exchange_n(w->opts->stop, &expected, -1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
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
		int r = unpack_layer(w, j, &err);

		if (r < 0)
			fail(w, r, &err);
	}
	return NULL;
}

static uint32_t processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (uint32_t)CPU_COUNT(&set) : 1;
}

static int run_workers(struct work *w, struct err *e)
{
	uint32_t n = w->opts->jobs ? w->opts->jobs : processors();
	pthread_t threads[MAX_JOBS];
	uint32_t started = 0;

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

static int by_size(const void *a, const void *b, void *arg)
{
	const struct job *jobs = arg;
	uint64_t x = jobs[*(const size_t *)a].src->size, y = jobs[*(const size_t *)b].src->size;

	return x < y ? 1 : x > y ? -1 : 0;
}

int unpack_is_shared(const struct store *s, const struct source_layer *l, bool *ret, struct err *e)
{
	scoped_strv struct strv there = { 0 };
	scoped_buf struct buf answers = BUF_INIT;
	int r;

	*ret = false;
	if (!l->has_diff_id)
		return 0;
	r = store_find_layers(s, &l->diff_id, &there, e);
	for (size_t i = 0; r == 0 && i < there.len && !*ret; i++) {
		buf_reset(&answers);
		r = store_layer_answers(s, there.items[i], &answers, e);
		*ret = r == 0 && !answers.len;
	}
	return r;
}

/* What can be known before anything is read. */
static int plan_job(struct work *w, struct job *j, struct err *e)
{
	scoped_strv struct strv there = { 0 };
	int r;

	j->plan = READ;
	if (!j->src->has_diff_id)
		return 0;
	j->diff_id = j->src->diff_id;
	r = store_find_layers(w->store, &j->diff_id, &there, e);
	if (r < 0)
		return r;
	if (there.len)
		j->plan = LATER;
	for (size_t i = 0; i < j->i; i++)
		if (w->jobs[i].src->has_diff_id && digest_equal(&w->jobs[i].diff_id, &j->diff_id))
			j->plan = LATER;
	return 0;
}

static int plan_work(struct work *w, struct err *e)
{
	for (size_t i = 0; i < w->n; i++) {
		struct job *j = &w->jobs[i];
		int r;

		j->src = &w->src->layers[i];
		j->i = i;
		j->fd = -1;
		if (w->opts->progress) {
			j->item = &w->opts->progress->items[i];
			j->item->name = j->src->name;
			j->item->total = j->src->size == BLOB_SIZE_UNKNOWN ? 0 : j->src->size;
		}
		r = plan_job(w, j, e);
		if (r < 0)
			return r;
		if (j->plan == READ)
			w->order[w->n_order++] = i;
	}
	qsort_r(w->order, w->n_order, sizeof(*w->order), by_size, w->jobs);
	return 0;
}

/* The layers below job i, topmost first, down to the first that hides what is below it. */
static struct lower layers_below(struct work *w, size_t i)
{
	struct lower l = { .dirfds = w->stack_fds, .user_xattr = w->opts->layer.user_xattr };

	while (i-- > 0) {
		w->stack_fds[l.n++] = w->jobs[i].fd;
		if (w->jobs[i].root_opaque)
			break;
	}
	return l;
}

static int try_same(struct work *w, struct job *j, const struct lower *lower, bool *ret, struct err *e)
{
	for (size_t i = j->i; i-- > 0 && !*ret;) {
		struct job *other = &w->jobs[i];
		int r;

		if (other->plan != READ || !digest_equal(&other->diff_id, &j->diff_id))
			continue;
		r = layer_answers_hold(buf_get(&other->answers), lower, ret, e);
		if (r < 0)
			return r;
		if (*ret) {
			j->plan = SAME;
			j->same = i;
			j->root_opaque = other->root_opaque;
			j->fd = fcntl(other->fd, F_DUPFD_CLOEXEC, 3);
			if (j->fd < 0)
				return err_set(e, errno, NULL, "cannot open the layer again");
		}
	}
	return 0;
}

static int try_stored(struct work *w, struct job *j, const struct lower *lower, bool *ret, struct err *e)
{
	scoped_strv struct strv there = { 0 };
	int r = store_find_layers(w->store, &j->diff_id, &there, e);

	for (size_t i = 0; r == 0 && i < there.len && !*ret; i++) {
		scoped_buf struct buf answers = BUF_INIT;
		struct store_layer facts;

		r = store_layer_answers(w->store, there.items[i], &answers, e);
		if (r == 0)
			r = layer_answers_hold(buf_get(&answers), lower, ret, e);
		if (r < 0 || !*ret)
			continue;
		r = store_layer_read(w->store, there.items[i], &facts, e);
		if (r < 0)
			return r;
		j->plan = TAKEN;
		j->dir = TAKE_PTR(facts.dir);
		j->root_opaque = facts.root_opaque;
		r = fd_open_beneath(w->store->layers, j->dir, O_RDONLY | O_DIRECTORY, &j->fd, e);
	}
	return r;
}

/* Give a layer that was read the rest of what it needs, and open it for those above. */
static int settle_layer(struct work *w, struct job *j, const struct lower *lower, struct err *e)
{
	char name[32];
	int r;

	r = layer_settle(j->layer, lower, e);
	if (r == 0)
		r = layer_finish(j->layer, e);
	if (r == 0)
		r = layer_answers(j->layer, &j->answers, e);
	if (r == 0 && !buf_get(&j->answers))
		r = err_nomem(e);
	if (r == 0)
		r = layer_write_spec(j->layer, staging_fd(w->staging), staging_name(j->i, ".mtree", name), e);
	if (r == 0)
		r = fd_open_beneath(staging_fd(w->staging), staging_name(j->i, "", name), O_RDONLY | O_DIRECTORY, &j->fd, e);
	layer_free(TAKE_PTR(j->layer));
	return r;
}

static int settle_job(struct work *w, struct job *j, struct err *e)
{
	const struct lower lower = layers_below(w, j->i);
	bool found = false;
	int r = 0;

	if (j->plan == LATER) {
		r = try_same(w, j, &lower, &found, e);
		if (r == 0 && !found)
			r = try_stored(w, j, &lower, &found, e);
		if (r == 0 && found) {
			log_verbose("layer %zu of %zu (%s) is there already; its blob is not read again", j->i + 1, w->n, j->src->name);
			tell(w, j, PROGRESS_SHARED);
			return 0;
		}
		j->plan = READ;
		if (r == 0)
			r = unpack_layer(w, j, e);
		if (r < 0)
			return r;
	}
	r = settle_layer(w, j, &lower, e);
	return r < 0 ? name_layer(w, j, r, e) : 0;
}

static int settle_all(struct work *w, struct err *e)
{
	for (size_t i = 0; i < w->n; i++) {
		struct job *j = &w->jobs[i];
		int r;

		if (__atomic_load_n(w->opts->stop, __ATOMIC_RELAXED))
			return err_say(e, ECANCELED, NULL, "interrupted");
		r = settle_job(w, j, e);
		if (r < 0)
			return r;
		if (j->plan != READ)
			continue;
		w->staged_of[i] = w->n_staged;
		w->staged[w->n_staged++] = (struct staged_layer){
			.i = i, .diff_id = j->diff_id, .answers = buf_get(&j->answers),
			.entries = j->counts.entries, .bytes = j->counts.bytes, .root_opaque = j->root_opaque,
		};
	}
	return 0;
}

static int run(struct work *w, struct unpack_result *ret, struct err *e)
{
	struct progress *p = w->opts->progress;
	int r;

	r = store_hold_layers(w->store, e);
	if (r == 0)
		r = staging_new(w->store, &w->staging, e);
	if (r == 0)
		r = plan_work(w, e);
	if (r < 0)
		return r;

	if (p && p->changed)
		p->changed(p, NULL);
	r = run_workers(w, e);
	if (r == 0)
		r = settle_all(w, e);
	if (r == 0)
		r = work_publish(w, e);
	if (p && p->changed)
		p->changed(p, NULL);
	if (r == 0)
		work_sum_up(w, ret);
	return r;
}

static int work_alloc(struct work *w, struct err *e)
{
	struct progress *p = w->opts->progress;
	size_t n = w->n + 1;

	w->jobs = calloc(n, sizeof(*w->jobs));
	w->order = calloc(n, sizeof(*w->order));
	w->stack_fds = calloc(n, sizeof(*w->stack_fds));
	w->staged = calloc(n, sizeof(*w->staged));
	w->staged_of = calloc(n, sizeof(*w->staged_of));
	if (!w->jobs || !w->order || !w->stack_fds || !w->staged || !w->staged_of)
		return err_nomem(e);
	if (p) {
		p->n = w->n;
		p->items = calloc(n, sizeof(*p->items));
		if (!p->items)
			return err_nomem(e);
	}
	return 0;
}

static void work_done(struct work *w)
{
	for (size_t i = 0; w->jobs && i < w->n; i++) {
		struct job *j = &w->jobs[i];

		layer_free(j->layer);
		if (j->fd >= 0 && j->src)
			(void)close(j->fd);
		buf_done(&j->answers);
		free(j->dir);
	}
	for (size_t i = 0; i < w->n_staged; i++)
		free(w->staged[i].dir);
	staging_free(w->staging);
	if (w->opts->progress) {
		free(w->opts->progress->items);
		w->opts->progress->items = NULL;
	}
	free(w->jobs);
	free(w->order);
	free(w->stack_fds);
	free(w->staged);
	free(w->staged_of);
	(void)pthread_mutex_destroy(&w->lock);
}

/* Each layer keeps a directory open, and an image may have hundreds. */
static void raise_open_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur == l.rlim_max || l.rlim_cur >= OPEN_FILES)
		return;
	l.rlim_cur = l.rlim_max < OPEN_FILES ? l.rlim_max : OPEN_FILES;
	(void)setrlimit(RLIMIT_NOFILE, &l); /* where it does not help, opening a file will say so */
}

int unpack_image(struct store *s, const struct source *src, const struct unpack_options *opts,
		 struct unpack_result *ret, struct err *e)
{
	struct work w = { .store = s, .src = src, .opts = opts, .n = src->n_layers };
	int r;

	(void)pthread_mutex_init(&w.lock, NULL); /* cannot fail on Linux */
	raise_open_files();
	r = work_alloc(&w, e);
	if (r == 0)
		r = run(&w, ret, e);
	work_done(&w);
	return r;
}
