/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unpack_flat: unpack an image into one directory, with its layers merged. */

#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/stop.h"
#include "../base/syncfs.h"
#include "../layer/layer_merge.h"
#include "../layer/layer_readback.h"
#include "../mount/fs_limits.h"
#include "../mount/reachable.h"
#include "../store/publish_dir.h"
#include "../store/store_dir.h"
#include "../store/tempdir.h"
#include "../store/tempdir_mapped.h"
#include "open_place.h"
#include "unpack_priv.h"

#define TEMPDIR_PREFIX ".shiftbox-flat-"

struct flat_unpack {
	struct unpack_work w;
	const struct flat_target *to;
	struct publish_dir place;
	struct tempdir tempdir;
	struct tempdir_mapped mapped; /* if there is a map */
};

static int merge_one(
	struct unpack_work *w, struct unpack_layer *l, struct layer **base, struct err *e)
{
	int r = stop_check(e);

	if (r < 0)
		return r;
	if (*base) {
		r = layer_merge(*base, l->layer, e);
		layer_free(TAKE_PTR(l->layer));
		if (r == 0)
			log_verbose("layer %zu of %zu (%s) is merged with those below: %llu "
				    "whiteouts, %llu of which hide nothing",
				l->i + 1, w->n_layers, l->src->name,
				(unsigned long long)l->counts.whiteouts,
				(unsigned long long)l->counts.dropped);
	} else {
		*base = TAKE_PTR(l->layer);
		r = layer_merge_base(*base, e);
	}
	return r < 0 ? unpack_name_layer(w, l, r, e) : 0;
}

/* The group of the tree's root, which has to reach the tree and has its rights in any case. */
static gid_t root_group(const struct idmap *map)
{
	uint32_t gid;

	return map && idmap_gid_seen(map, 0, &gid) ? gid : REACHABLE_NO_GROUP;
}

struct exposed_match {
	struct open_place place;
	enum exposed what; /* of the file that matched last */
};

static bool is_exposed(mode_t mode, bool capability, void *arg)
{
	struct exposed_match *m = arg;
	enum exposed what = open_place_exposes(&m->place, mode, capability);

	if (what != EXPOSED_NOTHING)
		m->what = what;
	return what != EXPOSED_NOTHING;
}

/*
 * Refuse a tree with a file that would give rights to other users at the target. Files that upper
 * layers removed are not in the merged tree and do not count.
 */
static int check_exposed(const struct flat_unpack *f, const struct layer *merged, struct err *e)
{
	const gid_t group = root_group(f->to->map);
	struct exposed_match m = { open_place_of(f->place.parent, group), EXPOSED_NOTHING };
	const struct exposed_tree t = { .option = "--flat",
		.path = f->place.path,
		.group = group,
		.was_closed = f->place.there.st_ino && !(f->place.there.st_mode & 0077) };
	scoped_buf struct buf path = BUF_INIT;
	int r;

	if (!open_place_gives(&m.place))
		return 0;
	r = layer_merge_find(merged, is_exposed, &m, &path);
	if (r < 0)
		return err_nomem(e);
	return r > 0 ? open_place_refuse(&t, m.what, buf_get(&path), e) : 0;
}

/* Merge all layers into the directory of the first one, "0" of the tempdir. */
static int merge_all(struct flat_unpack *f, struct err *e)
{
	struct layer *base = NULL;
	struct unpack_work *w = &f->w;
	char name[32];
	int r = 0;

	if (!w->n_layers)
		r = layer_new(&(struct layer_dir){ w->dirfd, tempdir_entry(0, "", name) },
			&w->opts->layer, &base, e);
	for (size_t i = 0; r == 0 && i < w->n_layers; i++)
		r = merge_one(w, &w->layers[i], &base, e);
	if (r == 0 && !f->to->open_to_all)
		r = check_exposed(f, base, e);
	if (r == 0 && !w->opts->layer.dry)
		r = layer_finish(base, e);
	if (r == 0 && f->to->map && !w->opts->layer.dry) {
		r = layer_read_back(base,
			&(struct layer_dir){ f->mapped.disk, tempdir_entry(0, "", name) },
			f->to->map, e);
		if (r == 0)
			log_verbose(
				"every owner was read back without the map, and is as expected");
	}
	layer_free(base);
	return r;
}

static int publish(struct flat_unpack *f, struct err *e)
{
	char name[32];
	int r = 0;

	unpack_writing(&f->w);
	if (f->w.opts->sync)
		r = syncfs_wait(f->tempdir.fd, f->place.path, "cannot write the files to disk", e);
	if (r == 0)
		r = stop_check(e);
	if (r == 0)
		r = publish_dir_rename(&f->place, f->to->map ? f->mapped.plain : f->tempdir.fd,
			tempdir_entry(0, "", name), e);
	if (r == 0 && f->w.opts->sync)
		r = fd_sync(f->place.parent, f->place.path, e);
	return r;
}

static int run(struct flat_unpack *f, struct unpack_result *ret, struct err *e)
{
	int r;

	r = tempdir_new(f->place.parent, f->place.parent_path, TEMPDIR_PREFIX, &f->tempdir, e);
	if (r == 0 && f->place.replace && f->place.there.st_ino)
		r = fs_try_rename(f->tempdir.fd, true, f->place.path, e);
	if (r < 0)
		return r;
	if (f->to->map)
		r = tempdir_mapped_new(&f->tempdir, f->to->map, &f->mapped, e);
	f->w.dirfd = f->to->map ? f->mapped.view : f->tempdir.fd;
	if (r == 0)
		r = unpack_read(&f->w, e);
	if (r == 0)
		r = merge_all(f, e);
	if (r == 0)
		r = publish(f, e);
	unpack_redraw(&f->w);
	if (r == 0)
		unpack_sum_up(&f->w, ret);
	return r;
}

/* Does something that the tree would replace exist? */
static int has_content(const struct publish_dir *p, bool *ret, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	scoped_fd int fd = -1;
	int r = 0;

	if (p->there.st_ino) {
		r = fd_open_beneath(p->parent, p->name, O_RDONLY | O_DIRECTORY, &fd, e);
		if (r == 0)
			r = store_dir_list(fd, p->path, &names, e);
	}
	*ret = names.len > 0;
	return r;
}

/* Dry run: read the layers and merge them in memory. */
static int run_dry(struct flat_unpack *f, struct unpack_result *ret, struct err *e)
{
	bool replaces;
	int r = has_content(&f->place, &replaces, e);

	if (r == 0)
		r = tempdir_check(f->place.parent, f->place.parent_path, e);
	if (r == 0)
		r = unpack_read(&f->w, e);
	if (r == 0)
		r = merge_all(f, e);
	if (r < 0)
		return r;
	unpack_sum_up(&f->w, ret);
	ret->replaces = replaces;
	return unpack_check_space(f->place.parent_path, ret, e);
}

int unpack_flat(const struct flat_target *to, const struct source *src,
	const struct unpack_options *opts, struct unpack_result *ret, struct err *e)
{
	struct unpack_options own = *opts;
	struct flat_unpack f = { .to = to, .tempdir = TEMPDIR_INIT, .mapped = TEMPDIR_MAPPED_INIT };
	int r;

	r = publish_dir_find(to->dir, to->replace, &f.place, e);
	if (r < 0)
		return r;
	r = unpack_work_init(&f.w, src, &own, e);
	own.layer.totals = &f.w.totals;
	f.w.totals.shared = true;
	own.layer.through = to->map;
	if (r == 0)
		r = own.layer.dry ? run_dry(&f, ret, e) : run(&f, ret, e);
	unpack_work_done(&f.w);
	tempdir_mapped_done(&f.mapped);
	tempdir_done(&f.tempdir);
	publish_dir_done(&f.place);
	return r;
}
