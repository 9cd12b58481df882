/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unpack_store: unpack an image into a store, whose layers are shared. */

#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/stop.h"
#include "../idmap/userns_self.h"
#include "../layer/layer_deps.h"
#include "../layer/layer_mtree.h"
#include "../layer/layer_readback.h"
#include "../layer/layer_resolve.h"
#include "../layer/lowerdirs.h"
#include "../mount/fs_limits.h"
#include "../store/podman.h"
#include "../store/store_base.h"
#include "../store/store_layer.h"
#include "../store/store_lock.h"
#include "../store/store_publish.h"
#include "../store/store_staging.h"
#include "../store/tempdir.h"
#include "image_documents.h"
#include "unpack_priv.h"
#include "unpack_stack.h"

/* Decide what is known before anything is read. */
static int plan_layer(struct store_unpack *s, struct unpack_layer *l, struct err *e)
{
	scoped_strv struct strv there = { 0 };
	int r;

	if (!source_layer_is_known(l->src))
		return 0;
	l->diff_id = l->src->diff_id;
	r = store_layer_find(s->store, &l->diff_id, &there, e);
	if (r < 0)
		return r;
	if (there.len)
		l->plan = PLAN_LATER;
	for (size_t i = 0; i < l->i; i++)
		if (source_layer_is_known(s->w.layers[i].src) &&
			digest_equal(&s->w.layers[i].diff_id, &l->diff_id))
			l->plan = PLAN_LATER;
	return 0;
}

static int plan_all(struct store_unpack *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->w.n_layers; i++)
		r = plan_layer(s, &s->w.layers[i], e);
	return r;
}

struct lower unpack_layers_below(struct store_unpack *s, size_t i)
{
	struct lower l = { .dirfds = s->stack_fds,
		.user_xattr = s->w.opts->layer.user_xattr,
		.o = &s->w.opts->layer };

	while (i-- > 0) {
		s->stack_fds[l.n++] = s->w.layers[i].fd;
		if (s->w.layers[i].root_opaque)
			break;
	}
	return l;
}

static int try_same(struct store_unpack *s, struct unpack_layer *l, struct lower_walk *below,
	bool *ret, struct err *e)
{
	for (size_t i = l->i; i-- > 0 && !*ret;) {
		struct unpack_layer *other = &s->w.layers[i];
		int r;

		if (other->plan != PLAN_READ || !digest_equal(&other->diff_id, &l->diff_id))
			continue;
		r = layer_deps_hold(buf_get(&other->deps), below, ret, e);
		if (r < 0)
			return r;
		if (*ret) {
			l->plan = PLAN_SAME;
			l->same = i;
			l->root_opaque = other->root_opaque;
			l->fd = fcntl(other->fd, F_DUPFD_CLOEXEC, 3);
			if (l->fd < 0)
				return err_set(e, errno, NULL, "cannot open the layer again");
		}
	}
	return 0;
}

/* Open a layer of the store so that it shows the ids of the image. */
static int open_stored(struct store_unpack *s, struct unpack_layer *l, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT;

	buf_printf(&path, "%s/layers/%s", store_path(s->store), l->dir);
	return buf_get(&path) ? store_base_open_layer(s->store, buf_get(&path), &l->fd, e) :
				err_nomem(e);
}

/* In a store with a base, check that every file has the right disk id. */
static int read_back(struct store_unpack *s, struct unpack_layer *l, struct err *e)
{
	scoped_idmap struct idmap map = { .gid_assumed = false };
	char name[32];
	int r;

	if (!store_base(s->store)->count)
		return 0;
	r = store_base_map(s->store, &map, e);
	if (r < 0)
		return r;
	return layer_read_back(l->layer,
		&(struct layer_dir){
			store_staging_plain_fd(s->staging), tempdir_entry(l->i, "", name) },
		&map, e);
}

/* *ret: is the layer without marks, which an older version may have set? Then facts are read. */
static int read_unmarked(
	const struct store *s, const char *dir, struct store_layer *facts, bool *ret, struct err *e)
{
	struct layer_marks marks;
	int r = store_layer_read(s, dir, facts, e);

	if (r < 0)
		return r;
	r = store_layer_marks(s, facts, &marks, e);
	*ret = r == 0 && !marks.trusted && !marks.user;
	if (r == 0 && !*ret)
		log_verbose("the layer %s of the store has marks that only some mounts read: it is "
			    "unpacked again",
			dir);
	if (!*ret)
		store_layer_done(facts);
	return r;
}

int unpack_try_stored(struct store_unpack *s, struct unpack_layer *l, struct lower_walk *below,
	bool *ret, struct err *e)
{
	scoped_strv struct strv there = { 0 };
	int r = store_layer_find(s->store, &l->diff_id, &there, e);

	for (size_t i = 0; r == 0 && i < there.len && !*ret; i++) {
		scoped_buf struct buf deps = BUF_INIT;
		struct store_layer facts;

		r = store_layer_deps(s->store, there.items[i], &deps, e);
		if (r == 0)
			r = layer_deps_hold(buf_get(&deps), below, ret, e);
		if (r == -EBADMSG)
			store_layer_say_try(there.items[i], e);
		if (r < 0 || !*ret)
			continue;
		r = read_unmarked(s->store, there.items[i], &facts, ret, e);
		if (r < 0 || !*ret)
			continue;
		l->plan = PLAN_STORED;
		l->dir = TAKE_PTR(facts.dir);
		l->root_opaque = facts.root_opaque;
		r = open_stored(s, l, e);
	}
	return r;
}

/* podman looks for each file of the archive below the name that the archive has. */
static void drop_split(const struct unpack_work *w, struct unpack_layer *l)
{
	const bool moved = layer_moved(l->layer);
	char name[32];

	if (!l->split ||
		(!moved && !(l->counts.unmapped && w->opts->layer.ids.policy == UNMAPPED_SKIP)))
		return;
	log_verbose("layer %zu of %zu (%s): podman cannot save it: %s", l->i + 1, w->n_layers,
		l->src->name,
		moved ? "files are where symbolic links led, and not at the names in its archive" :
			"files were skipped, for want of ids");
	l->split = false;
	(void)unlinkat(w->split_dirfd, tempdir_entry(l->i, STORE_TAR_SPLIT, name),
		0); /* if it stays, podman reports it */
}

/* Resolve a layer that was read against the layers below it, and open it for those above. */
static int resolve_layer(
	struct store_unpack *s, struct unpack_layer *l, const struct lower *lower, struct err *e)
{
	char name[32];
	int r;

	r = layer_resolve_lower(l->layer, lower, e);
	l->root_opaque = layer_root_opaque(l->layer); /* a link may have led there */
	if (r == 0)
		r = layer_finish(l->layer, e);
	if (r == 0)
		r = read_back(s, l, e);
	if (r == 0)
		r = layer_deps(l->layer, &l->deps, e);
	if (r == 0 && !buf_get(&l->deps))
		r = err_nomem(e);
	if (r == 0)
		r = layer_mtree_write(l->layer, store_staging_plain_fd(s->staging),
			tempdir_entry(l->i, ".mtree", name), e);
	if (r == 0)
		r = fd_open_beneath(store_staging_fd(s->staging), tempdir_entry(l->i, "", name),
			O_RDONLY | O_DIRECTORY, &l->fd, e);
	drop_split(&s->w, l);
	l->ids = *layer_id_use(l->layer);
	layer_free(TAKE_PTR(l->layer));
	return r;
}

static int finish_layer(struct store_unpack *s, struct unpack_layer *l, struct err *e)
{
	const struct lower lower = unpack_layers_below(s, l->i);
	bool found = false;
	int r = 0;

	if (l->plan == PLAN_LATER) {
		scoped_walk struct lower_walk below;

		lower_walk_begin(&below, &lower);
		below.limit = s->w.opts->layer.limits.bytes;
		r = try_same(s, l, &below, &found, e);
		if (r == 0 && !found)
			r = unpack_try_stored(s, l, &below, &found, e);
		if (r == 0 && found) {
			log_verbose("layer %zu of %zu (%s) is in the store already; its blob is "
				    "not read again",
				l->i + 1, s->w.n_layers, l->src->name);
			unpack_report(&s->w, l, PROGRESS_SHARED);
			return 0;
		}
		l->plan = PLAN_READ;
		if (r == 0)
			r = unpack_read_layer(&s->w, l, e);
		if (r < 0)
			return r;
	}
	r = resolve_layer(s, l, &lower, e);
	return r < 0 ? unpack_name_layer(&s->w, l, r, e) : 0;
}

static int finish_all(struct store_unpack *s, struct err *e)
{
	for (size_t i = 0; i < s->w.n_layers; i++) {
		struct unpack_layer *l = &s->w.layers[i];
		int r;

		r = stop_check(e);
		if (r == 0)
			r = finish_layer(s, l, e);
		if (r < 0)
			return r;
		if (l->plan != PLAN_READ)
			continue;
		s->staged_of[i] = s->n_staged;
		s->staged[s->n_staged++] = (struct staged_layer){
			.i = i,
			.diff_id = l->diff_id,
			.deps = buf_get(&l->deps),
			.entries = l->counts.entries,
			.bytes = l->counts.bytes,
			.tar_size = l->sums.unpacked,
			.root_opaque = l->root_opaque,
			.ids = &l->ids,
		};
	}
	return 0;
}

/* --- Publish --- */

static const char *published_dir(const struct store_unpack *s, size_t i)
{
	const struct unpack_layer *l = &s->w.layers[i];

	if (l->plan == PLAN_STORED)
		return l->dir;
	return s->staged[s->staged_of[l->plan == PLAN_SAME ? l->same : i]].dir;
}

/* Called by store_publish() when every layer has its directory in the store. */
static int list_stack(void *arg, struct strv *ret, struct err *e)
{
	struct store_unpack *s = arg;
	const struct unpack_work *w = &s->w;
	scoped_free struct stack_layer *layers = calloc(w->n_layers + 1, sizeof(*layers));
	int hidden;

	if (!layers)
		return err_nomem(e);
	for (size_t i = 0; i < w->n_layers; i++)
		layers[i] = (struct stack_layer){ published_dir(s, i), w->layers[i].root_opaque };
	hidden = unpack_stack_list(layers, w->n_layers, ret);
	if (hidden < 0)
		return err_nomem(e);
	if (hidden > 0)
		log_verbose("layer %d of %zu hides all below it: the stack ends there", hidden + 1,
			w->n_layers);
	s->stack_len = ret->len;
	return 0;
}

static int make_documents(
	const struct unpack_work *w, struct buf *manifest, struct buf *config, struct err *e)
{
	scoped_free struct documented_layer *layers = calloc(w->n_layers + 1, sizeof(*layers));

	if (!layers)
		return err_nomem(e);
	for (size_t i = 0; i < w->n_layers; i++) {
		layers[i].diff_id = w->layers[i].diff_id;
		layers[i].blob = &w->layers[i].sums;
	}
	return image_documents_make(layers, w->n_layers, manifest, config, e);
}

static int publish(struct store_unpack *s, struct err *e)
{
	const struct unpack_work *w = &s->w;
	scoped_buf struct buf manifest = BUF_INIT, config = BUF_INIT;
	struct staged_image image = {
		.name = w->opts->name,
		.manifest = &w->src->manifest,
		.config = &w->src->config,
		.list = list_stack,
		.arg = s,
	};

	int r;

	if (!w->src->manifest.len) {
		r = make_documents(w, &manifest, &config, e);
		if (r < 0)
			return r;
		image.manifest = &manifest;
		image.config = &config;
	}
	unpack_writing(w);
	r = store_publish(s->staging, s->staged, s->n_staged, &image, w->opts->sync, e);
	for (size_t i = 0; r == 0 && w->opts->names && i < w->opts->names->len; i++) {
		image.name = w->opts->names->items[i];
		if (strcmp(image.name, w->opts->name) != 0)
			r = store_publish(s->staging, NULL, 0, &image, w->opts->sync, e);
	}
	return r == 0 ? podman_share(s->staging, w->opts->name, w->opts->sync, NULL, e) : r;
}

/* Ordinary users mount their images without ID-mapped mounts. */
static void warn_of_place(const struct store_unpack *s)
{
	int fd = store_staging_plain_fd(s->staging);
	char type[64];

	if (userns_is_nested() || geteuid() != 0 || fs_can_be_mapped(fd))
		return;
	log_warn("'%s': images in this store can be mounted without a map only: its filesystem "
		 "(%s) cannot be ID-mapped; try: a store on ext4, xfs, btrfs or tmpfs",
		store_path(s->store), fs_type_name(fd, type));
}

static int run(struct store_unpack *s, struct unpack_result *ret, struct err *e)
{
	int r;

	r = store_lock_layers(s->store, e);
	if (r == 0)
		r = store_staging_new(s->store, &s->staging, e);
	if (r < 0)
		return r;
	warn_of_place(s);
	s->w.dirfd = store_staging_fd(s->staging);
	if (s->w.opts->tar_split && podman_is_wanted(s->store))
		s->w.split_dirfd = store_staging_plain_fd(s->staging);

	r = plan_all(s, e);
	if (r == 0)
		r = unpack_read(&s->w, e);
	if (r == 0)
		r = finish_all(s, e);
	if (r == 0)
		r = publish(s, e);
	unpack_redraw(&s->w);
	if (r == 0) {
		unpack_sum_up(&s->w, ret);
		ret->layers = s->stack_len;
	}
	return r;
}

int unpack_use_base(
	const struct store_base *b, struct idmap *map, struct layer_options *o, struct err *e)
{
	const struct idrange range = { 0, b->base, b->count };
	int r = b->count ? idmap_from_ranges(&range, 1, &range, 1, map, e) : 0;

	if (r < 0 || !b->count)
		return r;
	o->through = map;
	o->no_devices = "skipped: a device can be opened by every user who can reach it, so a "
			"store with a base has none";
	return 0;
}

int unpack_image(struct store *store, const struct source *src, const struct unpack_options *opts,
	struct unpack_result *ret, struct err *e)
{
	scoped_idmap struct idmap map = { .gid_assumed = false };
	struct unpack_options own = *opts;
	struct store_unpack s = { .store = store };
	size_t n = src->n_layers + 1;
	int r;

	r = unpack_work_init(&s.w, src, &own, e);
	if (r == 0)
		r = unpack_use_base(store_base(store), &map, &own.layer, e);
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
			"prints all ids that an image needs");

	for (size_t i = 0; i < s.n_staged; i++)
		free(s.staged[i].dir);
	unpack_work_done(&s.w);
	store_staging_free(s.staging);
	free(s.stack_fds);
	free(s.staged);
	free(s.staged_of);
	return r;
}
