/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unpack_trial: find out what unpacking into a store would do. */

#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../base/plural.h"
#include "../base/stop.h"
#include "../layer/layer_deps.h"
#include "../layer/layer_merge.h"
#include "../layer/lowerdirs.h"
#include "../store/store_layer.h"
#include "unpack_priv.h"

/* Are all layers below layer i, down to an opaque root, in the store and open? */
static bool below_known(const struct store_unpack *s, size_t i)
{
	while (i-- > 0) {
		if (s->w.layers[i].fd < 0)
			return false;
		if (s->w.layers[i].root_opaque)
			break;
	}
	return true;
}

/* The layers below are not in the store: is there one that depends on none of them? */
static int find_independent(
	struct store_unpack *s, const struct strv *there, enum unpack_state *ret, struct err *e)
{
	scoped_buf struct buf deps = BUF_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < there->len && *ret != UNPACK_SHARED; i++) {
		struct store_layer facts = { .dir = NULL };
		struct layer_marks marks = { .trusted = 0 };

		buf_reset(&deps);
		r = store_layer_deps(s->store, there->items[i], &deps, e);
		if (r == 0)
			r = store_layer_read(s->store, there->items[i], &facts, e);
		if (r == 0)
			r = store_layer_marks(s->store, &facts, &marks, e);
		store_layer_done(&facts);
		*ret = r == 0 && !deps.len && !marks.trusted && !marks.user ? UNPACK_SHARED :
									      UNPACK_UNKNOWN;
	}
	return r;
}

static bool occurs_below(const struct store_unpack *s, const struct unpack_layer *l)
{
	for (size_t i = 0; i < l->i; i++)
		if (source_layer_is_known(s->w.layers[i].src) &&
			digest_equal(&s->w.layers[i].diff_id, &l->diff_id))
			return true;
	return false;
}

static int try_layer(
	struct store_unpack *s, struct unpack_layer *l, enum unpack_state *ret, struct err *e)
{
	scoped_strv struct strv there = { 0 };
	bool found = false;
	int r = 0;

	*ret = UNPACK_READ;
	if (!source_layer_is_known(l->src))
		return 0;
	l->diff_id = l->src->diff_id;
	if (s->store)
		r = store_layer_find(s->store, &l->diff_id, &there, e);
	if (r == 0 && there.len && below_known(s, l->i)) {
		const struct lower lower = unpack_layers_below(s, l->i);
		scoped_walk struct lower_walk below;

		lower_walk_begin(&below, &lower);
		below.limit = s->w.opts->layer.limits.bytes;
		r = unpack_try_stored(s, l, &below, &found, e);
		*ret = found ? UNPACK_SHARED : UNPACK_READ;
	} else if (r == 0 && there.len) {
		r = find_independent(s, &there, ret, e);
	}
	/* Within an image, the same layer may be used twice, too. */
	if (r == 0 && *ret == UNPACK_READ && occurs_below(s, l))
		*ret = UNPACK_UNKNOWN;
	if (*ret == UNPACK_SHARED)
		l->plan = PLAN_STORED;
	return r;
}

/*
 * Read the layers that the store has, too, if a new one comes between or on top of them. The real
 * run does not need their blobs: one that cannot be read is not an error. Returns 1 if all layers
 * are read, 0, or -ENOMEM.
 */
static int read_stored(struct unpack_work *w, struct err *e)
{
	bool any_new = false;

	for (size_t i = 0; i < w->n_layers; i++)
		any_new |= w->layers[i].layer != NULL;
	for (size_t i = 0; any_new && i < w->n_layers; i++) {
		struct err why = ERR_INIT;
		int r = w->layers[i].layer ? 0 : unpack_read_layer(w, &w->layers[i], &why);

		if (r == -ENOMEM)
			return err_nomem(e);
		if (r == 0)
			continue;
		log_verbose("whether the new layers fit on those in the store is not checked: %s",
			why.what);
		return 0;
	}
	return any_new;
}

/*
 * Merge all layers in memory: that finds what one layer cannot have on top of the others, which may
 * be in the store.
 */
static int try_merge(struct unpack_work *w, struct err *e)
{
	int r = read_stored(w, e);

	if (r <= 0)
		return r;
	r = 0;
	for (size_t i = 0; r == 0 && i < w->n_layers; i++) {
		struct unpack_layer *l = &w->layers[i];

		r = stop_check(e);
		if (r == 0)
			r = i ? layer_merge(w->layers[0].layer, l->layer, e) :
				layer_merge_base(l->layer, e);
		if (r < 0)
			return unpack_name_layer(w, l, r, e);
	}
	return r;
}

int unpack_trial(struct store *store, const struct source *src, const struct unpack_options *opts,
	enum unpack_state *states, struct unpack_result *ret, struct err *e)
{
	struct unpack_options own = *opts;
	struct store_unpack s = { .store = store };
	int r = unpack_work_init(&s.w, src, &own, e);

	s.stack_fds = calloc(src->n_layers + 1, sizeof(*s.stack_fds));
	if (r == 0 && !s.stack_fds)
		r = err_nomem(e);
	for (size_t i = 0; r == 0 && i < s.w.n_layers; i++) {
		r = stop_check(e);
		if (r == 0)
			r = try_layer(&s, &s.w.layers[i], &states[i], e);
	}
	if (r == 0)
		r = unpack_read(&s.w, e);
	if (r == 0) {
		unpack_sum_up(&s.w, ret);
		r = try_merge(&s.w, e);
	}
	unpack_work_done(&s.w);
	free(s.stack_fds);
	return r;
}

int unpack_check_space(const char *dir, const struct unpack_result *need, struct err *e)
{
	scoped_fd int fd = path_open_existing(dir);
	const bool large = need->bytes >= 100 * 1000000;
	const char *unit = large ? "MB" : "kB";
	struct statvfs fs;
	uint64_t room;

	if (fd < 0 || fstatvfs(fd, &fs) < 0 || !fs.f_blocks)
		return 0;
	room = geteuid() == 0 ? fs.f_bfree : fs.f_bavail;
	if (room <= UINT64_MAX / fs.f_frsize && room * fs.f_frsize < need->bytes)
		return err_set(e, ENOSPC, dir,
			"the files have %" PRIu64 " %s, and the filesystem has %" PRIu64 " %s left",
			need->bytes / (large ? 1000000 : 1000), unit,
			room * fs.f_frsize / (large ? 1000000 : 1000), unit);
	room = geteuid() == 0 ? fs.f_ffree : fs.f_favail;
	if (fs.f_files && room < need->entries)
		return err_set(e, ENOSPC, dir,
			"there %s %" PRIu64 " %s, and the filesystem has room for %" PRIu64,
			plural(need->entries, "is", "are"), need->entries,
			plural(need->entries, "entry", "entries"), room);
	return 0;
}

enum { MANY_INODES = 65536 };

void unpack_explain_space(const char *dir, const struct source *src, struct err *e)
{
	scoped_fd int fd = path_open_existing(dir);
	struct statvfs fs;
	uint64_t blobs = 0, room, files;
	bool spacious;

	/* The step that failed may know more: a file's attributes have a place of their own. */
	if (e->why[0] || fd < 0 || fstatvfs(fd, &fs) < 0 || !fs.f_blocks)
		return;
	room = geteuid() == 0 ? fs.f_bfree : fs.f_bavail;
	files = geteuid() == 0 ? fs.f_ffree : fs.f_favail;
	for (size_t i = 0; i < src->n_layers; i++)
		if (src->layers[i].size != BLOB_SIZE_UNKNOWN)
			blobs += src->layers[i].size;
	err_why(e,
		"'%s' has %" PRIu64 " kB and %" PRIu64 " inodes free, after the files of this run "
		"were removed; the archives of the layers have %" PRIu64 " kB",
		dir, room * fs.f_frsize / 1000, files, (blobs + 999) / 1000);
	/* Compressed files of that size have fewer bytes than are free; but an inode each. */
	spacious = blobs && room * fs.f_frsize / 20 > blobs && fs.f_files && files < MANY_INODES;
	err_try(e,
		"free %s, then run the command again: it starts clean; --dry-run (-n) tells "
		"whether it suffices",
		spacious ? "inodes there (remove files)" : "space there");
}
