/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer: unpack the entries of a tar stream into a directory (OCI image-spec, layer.md). */

#include "layer.h"

#include <errno.h>
#include <stdlib.h>

#include "../base/stop.h"
#include "entry.h"
#include "layer_add.h"
#include "layer_limits.h"
#include "layer_place.h"
#include "layer_priv.h"
#include "writer_dir.h"

static int add_all(struct layer *l, struct entry_reader *rd, struct err *e)
{
	struct layer_entry en;
	int r;

	while ((r = entry_next(rd, &en, e)) > 0) {
		l->rooted_caps |= en.rooted_cap;
		r = stop_check(e);
		if (r == 0)
			r = layer_limits_count_entry(l, en.raw, e);
		if (r == 0)
			r = layer_add(l, rd, &en, e);
		if (r < 0)
			return r;
	}
	return r;
}

int layer_new(const struct layer_dir *dir, const struct layer_options *opts, struct layer **ret,
	struct err *e)
{
	struct layer *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return err_nomem(e);
	l->o = *opts;
	if (!l->o.counts)
		l->o.counts = &l->own_counts;
	if (!l->o.totals)
		l->o.totals = &l->own_totals;
	l->o.tally = &l->tally;
	r = layer_tree_init(&l->tree);
	if (r < 0)
		(void)err_set(e, -r, NULL, "cannot prepare to unpack");
	l->top = l->tree.root;
	if (r == 0)
		r = writer_init(&l->w, &l->tree, dir, &l->o, e);
	if (r == 0) {
		writer_enter(&l->w);
		node_imply_dir(l->tree.root);
		r = writer_root(&l->w, e);
		writer_leave(&l->w);
	}
	if (r < 0) {
		layer_free(l);
		return r;
	}

	*ret = l;
	return 0;
}

int layer_apply(layer_read *read, void *arg, const struct layer_dir *dir,
	const struct layer_options *opts, struct layer **ret, struct err *e)
{
	struct entry_reader *rd = NULL;
	struct layer *l = NULL;
	int r;

	r = layer_new(dir, opts, &l, e);
	if (r < 0)
		return r;
	writer_enter(&l->w);
	r = entry_open(read, arg, &l->o, &rd, e);
	if (r == 0)
		r = add_all(l, rd, e);
	entry_close(rd);
	writer_leave(&l->w);
	layer_tally_report(&l->tally);
	if (r < 0) {
		layer_free(l);
		return r;
	}

	*ret = l;
	return 0;
}

/* The ids of attributes are noted when they are read. */
static void note_owner(struct layer *l, const struct node *n)
{
	if (!n->mode || !(n->flags & NODE_MADE))
		return;
	id_spans_add(&l->ids.uid, n->uid);
	id_spans_add(&l->ids.gid, n->gid);
}

int layer_finish(struct layer *l, struct err *e)
{
	struct node *root = l->tree.root;
	int r = 0;

	writer_enter(&l->w);
	for (struct node *n = root; r == 0 && n; n = layer_tree_next(root, n)) {
		r = stop_check(e);
		note_owner(l, n);
		if (r == 0 && node_is_made_dir(n))
			r = writer_dir_own(&l->w, n, e);
	}
	for (struct node *n = layer_tree_first_up(root); r == 0 && n;
		n = layer_tree_next_up(root, n)) {
		r = stop_check(e);
		if (r == 0 && node_is_made_dir(n))
			r = writer_dir_finish(&l->w, n, e);
	}
	writer_leave(&l->w);
	layer_tally_report(&l->tally);
	return r;
}

bool layer_root_opaque(const struct layer *l)
{
	return l->root_opaque;
}

bool layer_moved(const struct layer *l)
{
	return l->moved;
}

const struct id_use *layer_id_use(const struct layer *l)
{
	return &l->ids;
}

void layer_free(struct layer *l)
{
	if (!l)
		return;
	if (l->w.name)
		writer_done(&l->w);
	layer_tree_done(&l->tree);
	buf_done(&l->dir_path);
	buf_done(&l->deps);
	VEC_DONE(&l->lost);
	VEC_DONE(&l->aside);
	VEC_DONE(&l->later);
	layer_tally_report(&l->tally); /* of a layer that was not finished */
	free(l);
}
