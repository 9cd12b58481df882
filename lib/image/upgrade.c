/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* upgrade: make the layers of a stored image again that have opaque marks. */

#include "upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/stop.h"
#include "../layer/layer_deps.h"
#include "../layer/layer_limits.h"
#include "../layer/layer_mtree.h"
#include "../layer/layer_reform.h"
#include "../layer/layer_resolve.h"
#include "../layer/lowerdirs.h"
#include "../store/store_image.h"
#include "../store/store_layer.h"
#include "../store/store_publish.h"
#include "../store/store_staging.h"
#include "../store/tempdir.h"

/* A layer of the image. */
struct upgraded {
	struct store_layer facts; /* of the old layer */
	struct buf deps;          /* of the new one */
	char *stored;             /* a layer of the store that is used instead; or NULL */
	size_t staged;            /* index in upgrade.staged plus 1; or 0 */
	int fd;                   /* what the image will have */
};

struct upgrade {
	struct store *s;
	const char *name;
	struct image_upgrade *u;
	struct store_staging *staging;
	struct strv dirs; /* that the image lists, topmost first */
	struct upgraded *layers;
	int *fds; /* of the layers, in the same order */
	struct staged_layer *staged;
	size_t n_staged;
};

static struct lower below(const struct upgrade *w, size_t i)
{
	return (struct lower){
		.dirfds = w->fds + i + 1, .n = w->dirs.len - i - 1, .user_xattr = w->u->user_xattr
	};
}

static int open_layer(const struct upgrade *w, const char *dir, int *ret, struct err *e)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "layers/%s", dir);
	return store_layer_open(w->s, path, ret, e);
}

/* ---- a layer that the store has already ---- */

static int diff_id_of(const char *dir, struct digest *ret, struct err *e)
{
	char text[DIGEST_TEXT];

	(void)snprintf(text, sizeof(text), "sha256:%.64s", dir + strlen("sha256-"));
	return digest_parse(text, dir, ret, e);
}

/* The dependencies of a layer of the store: those on options, and those on lower layers. */
static int read_deps(const struct upgrade *w, const char *dir, struct buf *ret_options,
	struct buf *ret_facts, struct err *e)
{
	scoped_buf struct buf deps = BUF_INIT;
	int r = store_layer_deps(w->s, dir, &deps, e);

	if (r == 0)
		r = layer_deps_split(buf_get(&deps), ret_options, ret_facts, e);
	if (r == -EBADMSG)
		store_layer_say_try(dir, e);
	return r;
}

/*
 * Can the image have the stored layer dir instead of its layer i? The image keeps what it was
 * unpacked with: it must not get the devices or capabilities of another image.
 */
static int fits(const struct upgrade *w, size_t i, const char *dir, bool *ret, struct err *e)
{
	scoped_buf struct buf had = BUF_INIT, has = BUF_INIT, old = BUF_INIT, facts = BUF_INIT;
	scoped_walk struct lower_walk walk;
	const struct lower lower = below(w, i);
	struct store_layer l;
	bool unmarked;
	int r;

	lower_walk_begin(&walk, &lower);
	r = store_layer_read(w->s, dir, &l, e);
	if (r < 0)
		return r;
	unmarked = l.unmarked;
	store_layer_done(&l);
	if (!unmarked)
		return 0;
	r = read_deps(w, w->dirs.items[i], &had, &old, e);
	if (r == 0)
		r = read_deps(w, dir, &has, &facts, e);
	if (r < 0 || strcmp(buf_get(&had), buf_get(&has)) != 0)
		return r;
	return layer_deps_hold(buf_get(&facts), &walk, ret, e);
}

/* Another image may have been upgraded before. */
static int find_stored(struct upgrade *w, size_t i, const struct digest *diff_id, struct err *e)
{
	struct upgraded *l = &w->layers[i];
	scoped_strv struct strv there = { 0 };
	bool found = false;
	int r = store_layer_find(w->s, diff_id, &there, e);

	for (size_t k = 0; r == 0 && k < there.len && !found; k++) {
		r = fits(w, i, there.items[k], &found, e);
		if (r < 0 || !found)
			continue;
		l->stored = strdup(there.items[k]);
		r = l->stored ? open_layer(w, l->stored, &l->fd, e) : err_nomem(e);
	}
	return r;
}

/* ---- a layer that is made again ---- */

static int write_spec(struct upgrade *w, size_t i, const struct layer *l, struct err *e)
{
	scoped_fd int old = -1;
	char path[160], name[32];
	int r;

	(void)snprintf(path, sizeof(path), "layers/%s.mtree", w->dirs.items[i]);
	r = store_layer_open_spec(w->s, path, &old, e);
	return r < 0 ? r :
		       layer_mtree_extend(l, old, store_staging_plain_fd(w->staging),
			       tempdir_entry(i, ".mtree", name), e);
}

static int finish(struct upgrade *w, size_t i, struct layer *l, struct err *e)
{
	const struct lower lower = below(w, i);
	struct upgraded *x = &w->layers[i];
	scoped_buf struct buf facts = BUF_INIT;
	char name[32];
	int r = layer_resolve_lower(l, &lower, e);

	if (r == 0)
		r = layer_finish(l, e);
	if (r == 0)
		r = read_deps(w, w->dirs.items[i], &x->deps, &facts, e);
	if (r == 0) {
		buf_add(&x->deps, buf_get(&facts), facts.len);
		r = layer_deps(l, &x->deps, e);
	}
	if (r == 0)
		r = write_spec(w, i, l, e);
	if (r < 0)
		return r;
	cleanup_fd(&x->fd);
	x->fd = -1;
	return fd_open_beneath(store_staging_plain_fd(w->staging), tempdir_entry(i, "", name),
		O_RDONLY | O_DIRECTORY, &x->fd, e);
}

static int make_again(struct upgrade *w, size_t i, const struct digest *diff_id, struct err *e)
{
	struct upgraded *x = &w->layers[i];
	struct layer_counts counts = { .entries = 0 };
	const struct layer_options o = {
		.user_xattr = w->u->user_xattr, .limits = layer_default_limits, .counts = &counts
	};
	struct layer *l = NULL;
	char name[32];
	int r;

	if (!w->staging) {
		r = store_staging_new(w->s, &w->staging, e);
		if (r < 0)
			return r;
	}
	r = layer_reform(&(struct layer_finished){ x->fd, x->facts.root_opaque },
		&(struct layer_dir){
			store_staging_plain_fd(w->staging), tempdir_entry(i, "", name) },
		&o, &l, e);
	if (r == 0)
		r = finish(w, i, l, e);
	layer_free(l);
	if (r < 0)
		return r;
	w->u->whiteouts += counts.hidden;
	w->staged[w->n_staged] = (struct staged_layer){ .i = i,
		.diff_id = *diff_id,
		.deps = buf_get(&x->deps),
		.entries = x->facts.entries,
		.bytes = x->facts.bytes,
		.tar_size = x->facts.tar_size,
		.root_opaque = x->facts.root_opaque,
		.ids = x->facts.ids_known ? &x->facts.ids : NULL };
	x->staged = ++w->n_staged;
	return 0;
}

/* ---- the image ---- */

static int upgrade_layer(struct upgrade *w, size_t i, struct err *e)
{
	struct upgraded *x = &w->layers[i];
	struct layer_marks marks;
	struct digest diff_id;
	int r = stop_check(e);

	if (r == 0)
		r = store_layer_read(w->s, w->dirs.items[i], &x->facts, e);
	if (r == 0)
		r = store_layer_marks(w->s, &x->facts, &marks, e);
	if (r < 0)
		return r;
	w->u->marks += marks.trusted + marks.user;
	w->u->changed += marks.trusted || marks.user;
	if ((marks.trusted || marks.user) && !w->u->dry_run) {
		if (strv_add(&w->u->replaced, w->dirs.items[i]) < 0)
			return err_nomem(e);
		r = diff_id_of(w->dirs.items[i], &diff_id, e);
		if (r == 0)
			r = find_stored(w, i, &diff_id, e);
		if (r < 0 || x->stored)
			return r;
		r = open_layer(w, w->dirs.items[i], &x->fd, e);
		return r < 0 ? r : make_again(w, i, &diff_id, e);
	}
	return open_layer(w, w->dirs.items[i], &x->fd, e);
}

static int name_layer(const struct upgrade *w, size_t i, int r, struct err *e)
{
	err_prefix(e, "image %s, layer %s", w->name, w->dirs.items[i]);
	return r;
}

/* Called by store_publish() when every layer has its directory in the store. */
static int list_stack(void *arg, struct strv *ret, struct err *e)
{
	const struct upgrade *w = arg;
	scoped_strv struct strv now = { 0 };
	int r = store_image_dirs(w->s, w->name, &now, e);
	bool same = now.len == w->dirs.len;

	if (r < 0)
		return r;
	for (size_t i = 0; same && i < now.len; i++)
		same = !strcmp(now.items[i], w->dirs.items[i]);
	if (!same)
		return err_say(e, EBUSY, w->name, "the image was replaced meanwhile");
	for (size_t i = 0; i < w->dirs.len; i++) {
		const struct upgraded *x = &w->layers[i];

		if (strv_add(ret,
			    x->staged         ? w->staged[x->staged - 1].dir :
				    x->stored ? x->stored :
						w->dirs.items[i]) < 0)
			return err_nomem(e);
	}
	return 0;
}

static int publish(struct upgrade *w, struct err *e)
{
	scoped_buf struct buf manifest = BUF_INIT, config = BUF_INIT;
	const struct staged_image image = {
		.name = w->name,
		.manifest = &manifest,
		.config = &config,
		.list = list_stack,
		.arg = w,
	};
	int r = store_image_documents(w->s, w->name, &manifest, &config, e);

	if (r == 0 && !w->staging)
		r = store_staging_new(w->s, &w->staging, e);
	return r < 0 ? r : store_publish(w->staging, w->staged, w->n_staged, &image, w->u->sync, e);
}

static int run(struct upgrade *w, struct err *e)
{
	int r = 0;

	for (size_t i = w->dirs.len; r == 0 && i-- > 0;) {
		r = upgrade_layer(w, i, e);
		w->fds[i] = w->layers[i].fd;
		if (r < 0)
			return name_layer(w, i, r, e);
	}
	w->u->layers = w->dirs.len;
	return r == 0 && w->u->changed && !w->u->dry_run ? publish(w, e) : r;
}

int image_upgrade(struct store *s, const char *name, struct image_upgrade *u, struct err *e)
{
	struct upgrade w = { .s = s, .name = name, .u = u };
	int r = store_image_dirs(s, name, &w.dirs, e);
	size_t n = w.dirs.len + 1;

	w.layers = calloc(n, sizeof(*w.layers));
	w.fds = calloc(n, sizeof(*w.fds));
	w.staged = calloc(n, sizeof(*w.staged));
	for (size_t i = 0; w.layers && i < n; i++)
		w.layers[i].fd = -1;
	if (r == 0 && (!w.layers || !w.fds || !w.staged))
		r = err_nomem(e);
	if (r == 0)
		r = run(&w, e);

	for (size_t i = 0; w.layers && i < n; i++) {
		store_layer_done(&w.layers[i].facts);
		buf_done(&w.layers[i].deps);
		free(w.layers[i].stored);
		cleanup_fd(&w.layers[i].fd);
	}
	for (size_t i = 0; w.staged && i < w.n_staged; i++)
		free(w.staged[i].dir);
	store_staging_free(w.staging);
	strv_done(&w.dirs);
	free(w.layers);
	free(w.fds);
	free(w.staged);
	return r;
}
