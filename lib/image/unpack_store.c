/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unpack_store: layers that are shared, each on top of those it belongs on. */

#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/stop.h"
#include "../layer/layer_readback.h"
#include "../layer/lowerdirs.h"
#include "../store/store_base.h"
#include "../store/store_layer.h"
#include "../store/store_lock.h"
#include "../store/store_publish.h"
#include "../store/store_staging.h"
#include "../store/tempdir.h"
#include "unpack_priv.h"

int unpack_is_shared(const struct store *s, const struct source_layer *l, bool *ret, struct err *e)
{
	scoped_strv struct strv there = { 0 };
	scoped_buf struct buf answers = BUF_INIT;
	int r;

	*ret = false;
	if (!l->has_diff_id)
		return 0;
	r = store_layer_find(s, &l->diff_id, &there, e);
	for (size_t i = 0; r == 0 && i < there.len && !*ret; i++) {
		buf_reset(&answers);
		r = store_layer_answers(s, there.items[i], &answers, e);
		*ret = r == 0 && !answers.len;
	}
	return r;
}

/* What can be known before anything is read. */
static int plan_job(struct store_work *s, struct job *j, struct err *e)
{
	scoped_strv struct strv there = { 0 };
	int r;

	if (!j->src->has_diff_id)
		return 0;
	j->diff_id = j->src->diff_id;
	r = store_layer_find(s->store, &j->diff_id, &there, e);
	if (r < 0)
		return r;
	if (there.len)
		j->plan = LATER;
	for (size_t i = 0; i < j->i; i++)
		if (s->w.jobs[i].src->has_diff_id &&
			digest_equal(&s->w.jobs[i].diff_id, &j->diff_id))
			j->plan = LATER;
	return 0;
}

static int plan_work(struct store_work *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->w.n; i++)
		r = plan_job(s, &s->w.jobs[i], e);
	return r;
}

/* The layers below job i, topmost first, down to the first that hides what is below it. */
static struct lower layers_below(struct store_work *s, size_t i)
{
	struct lower l = { .dirfds = s->stack_fds,
		.user_xattr = s->w.opts->layer.user_xattr,
		.o = &s->w.opts->layer };

	while (i-- > 0) {
		s->stack_fds[l.n++] = s->w.jobs[i].fd;
		if (s->w.jobs[i].root_opaque)
			break;
	}
	return l;
}

static int try_same(
	struct store_work *s, struct job *j, struct lower_walk *below, bool *ret, struct err *e)
{
	for (size_t i = j->i; i-- > 0 && !*ret;) {
		struct job *other = &s->w.jobs[i];
		int r;

		if (other->plan != READ || !digest_equal(&other->diff_id, &j->diff_id))
			continue;
		r = layer_deps_hold(buf_get(&other->answers), below, ret, e);
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

/* A layer of the store, with the ids of the image. */
static int open_stored(struct store_work *s, struct job *j, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT;

	buf_printf(&path, "%s/layers/%s", store_path(s->store), j->dir);
	return buf_get(&path) ? store_base_open_layer(s->store, buf_get(&path), &j->fd, e) :
				err_nomem(e);
}

/* With a base: has every file the disk id it should have? */
static int read_back(struct store_work *s, struct job *j, struct err *e)
{
	scoped_idmap struct idmap map = { .gid_assumed = false };
	char name[32];
	int r;

	if (!store_base(s->store)->count)
		return 0;
	r = store_base_map(s->store, &map, e);
	return r == 0 ? layer_read_back(j->layer, store_staging_plain_fd(s->staging),
				tempdir_entry(j->i, "", name), &map, e) :
			r;
}

static int try_stored(
	struct store_work *s, struct job *j, struct lower_walk *below, bool *ret, struct err *e)
{
	scoped_strv struct strv there = { 0 };
	int r = store_layer_find(s->store, &j->diff_id, &there, e);

	for (size_t i = 0; r == 0 && i < there.len && !*ret; i++) {
		scoped_buf struct buf answers = BUF_INIT;
		struct store_layer facts;

		r = store_layer_answers(s->store, there.items[i], &answers, e);
		if (r == 0)
			r = layer_deps_hold(buf_get(&answers), below, ret, e);
		if (r < 0 || !*ret)
			continue;
		r = store_layer_read(s->store, there.items[i], &facts, e);
		if (r < 0)
			return r;
		j->plan = TAKEN;
		j->dir = TAKE_PTR(facts.dir);
		j->root_opaque = facts.root_opaque;
		r = open_stored(s, j, e);
	}
	return r;
}

/* Give a layer that was read the rest of what it needs, and open it for those above. */
static int settle_layer(
	struct store_work *s, struct job *j, const struct lower *lower, struct err *e)
{
	char name[32];
	int r;

	r = layer_resolve_lower(j->layer, lower, e);
	if (r == 0)
		r = layer_finish(j->layer, e);
	if (r == 0)
		r = read_back(s, j, e);
	if (r == 0)
		r = layer_deps(j->layer, &j->answers, e);
	if (r == 0 && !buf_get(&j->answers))
		r = err_nomem(e);
	if (r == 0)
		r = layer_mtree_write(j->layer, store_staging_plain_fd(s->staging),
			tempdir_entry(j->i, ".mtree", name), e);
	if (r == 0)
		r = fd_open_beneath(store_staging_fd(s->staging), tempdir_entry(j->i, "", name),
			O_RDONLY | O_DIRECTORY, &j->fd, e);
	layer_free(TAKE_PTR(j->layer));
	return r;
}

static int settle_job(struct store_work *s, struct job *j, struct err *e)
{
	const struct lower lower = layers_below(s, j->i);
	bool found = false;
	int r = 0;

	if (j->plan == LATER) {
		scoped_walk struct lower_walk below;

		lower_walk_begin(&below, &lower);
		below.limit = s->w.opts->layer.limits.bytes;
		r = try_same(s, j, &below, &found, e);
		if (r == 0 && !found)
			r = try_stored(s, j, &below, &found, e);
		if (r == 0 && found) {
			log_verbose("layer %zu of %zu (%s) is there already; its blob is not read "
				    "again",
				j->i + 1, s->w.n, j->src->name);
			work_tell(&s->w, j, PROGRESS_SHARED);
			return 0;
		}
		j->plan = READ;
		if (r == 0)
			r = work_read_layer(&s->w, j, e);
		if (r < 0)
			return r;
	}
	r = settle_layer(s, j, &lower, e);
	return r < 0 ? work_name_layer(&s->w, j, r, e) : 0;
}

static int settle_all(struct store_work *s, struct err *e)
{
	for (size_t i = 0; i < s->w.n; i++) {
		struct job *j = &s->w.jobs[i];
		int r;

		r = stop_check(e);
		if (r == 0)
			r = settle_job(s, j, e);
		if (r < 0)
			return r;
		if (j->plan != READ)
			continue;
		s->staged_of[i] = s->n_staged;
		s->staged[s->n_staged++] = (struct staged_layer){
			.i = i,
			.diff_id = j->diff_id,
			.answers = buf_get(&j->answers),
			.entries = j->counts.entries,
			.bytes = j->counts.bytes,
			.root_opaque = j->root_opaque,
		};
	}
	return 0;
}

static int run(struct store_work *s, struct unpack_result *ret, struct err *e)
{
	int r;

	r = store_lock_layers(s->store, e);
	if (r == 0)
		r = store_staging_new(s->store, &s->staging, e);
	if (r < 0)
		return r;
	s->w.stage = store_staging_fd(s->staging);

	r = plan_work(s, e);
	if (r == 0)
		r = work_read(&s->w, e);
	if (r == 0)
		r = settle_all(s, e);
	if (r == 0)
		r = work_publish(s, e);
	work_changed(&s->w);
	if (r == 0)
		work_sum_up(s, ret);
	return r;
}

int unpack_image(struct store *store, const struct source *src, const struct unpack_options *opts,
	struct unpack_result *ret, struct err *e)
{
	scoped_idmap struct idmap map = { .gid_assumed = false };
	struct unpack_options own = *opts;
	struct store_work s = { .store = store };
	size_t n = src->n_layers + 1;
	int r;

	r = work_init(&s.w, src, &own, e);
	if (r == 0 && store_base(store)->count) {
		r = store_base_map(store, &map, e);
		own.layer.through = &map;
		own.layer.no_devices = "left out: a device works for every user who can reach it, "
				       "so a store with a base has none";
	}
	s.stack_fds = calloc(n, sizeof(*s.stack_fds));
	s.staged = calloc(n, sizeof(*s.staged));
	s.staged_of = calloc(n, sizeof(*s.staged_of));
	if (r == 0 && (!s.stack_fds || !s.staged || !s.staged_of))
		r = err_nomem(e);
	if (r == 0)
		r = run(&s, ret, e);

	if (r == -EOVERFLOW && store_base(store)->count)
		err_try(e,
			"make a store with a larger COUNT (--base BASE:COUNT); image-unpack --scan "
			"tells all ids that an image needs");

	for (size_t i = 0; i < s.n_staged; i++)
		free(s.staged[i].dir);
	work_done(&s.w);
	store_staging_free(s.staging);
	free(s.stack_fds);
	free(s.staged);
	free(s.staged_of);
	return r;
}
