/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_hide: create whiteouts for the names that opaque directories hide. */

#include "layer_hide.h"

#include <string.h>

#include "../base/log.h"
#include "../base/stop.h"
#include "layer_deps.h"
#include "layer_limits.h"
#include "layer_priv.h"
#include "lower_names.h"

struct hiding {
	struct layer *l;
	struct lower_walk *below;
	struct buf path; /* of the current directory */
};

static int hide_name(struct hiding *h, struct node *dir, const char *name, struct err *e)
{
	struct layer *l = h->l;
	const size_t len = strlen(name);
	struct node *n = layer_tree_find(&l->tree, dir, name, len);
	int r;

	if (n && n->flags & NODE_MADE)
		return 0;
	r = layer_limits_count_hidden(l, h->path.data, e);
	if (r == 0 && !n)
		n = layer_tree_add(&l->tree, dir, name, len);
	if (r == 0 && !n)
		r = err_nomem(e);
	if (r < 0)
		return r;
	n->mode = 0; /* it may be an entry that was skipped, or a directory of whiteouts alone */
	n->flags |= NODE_WHITEOUT;
	return writer_whiteout(&l->w, n, e);
}

static int hide_names(struct hiding *h, struct node *n, bool top, struct err *e)
{
	scoped_names struct lower_names names = { .text = BUF_INIT };
	int found, r;

	buf_reset(&h->path);
	node_path(n, &h->path);
	if (!buf_get(&h->path))
		return err_nomem(e);
	found = lower_walk_names(h->below, h->path.data, &names, e);
	if (found < 0)
		return found;
	if (!found)
		n->flags |= NODE_BARE;
	/* Where there is none below another directory, the names in that one say so. */
	r = found || top ?
		layer_deps_add_hidden(h->path.data, found ? &names : NULL, &h->l->deps, e) :
		0;
	for (size_t i = 0; r == 0 && i < names.list.len; i++) {
		r = stop_check(e);
		if (r == 0)
			r = hide_name(h, n, names.list.items[i].name, e);
	}
	return r;
}

static int hide_in(struct hiding *h, struct node *n, struct err *e)
{
	const bool covered = n->flags & NODE_COVERED;
	int r = stop_check(e);

	if (r < 0 || !n->parent || !node_is_made_dir(n) || !(covered || node_hides(n)))
		return r;
	if (covered && n->parent->flags & NODE_BARE) {
		n->flags |= NODE_BARE;
		return 0;
	}
	return hide_names(h, n, !covered, e);
}

/* Is there a directory that hides what is below it? The root has no names to hide: see below. */
static bool hides_any(const struct layer *l)
{
	for (struct node *n = l->tree.root; n; n = layer_tree_next(l->tree.root, n))
		if (n->parent && node_is_made_dir(n) && node_hides(n))
			return true;
	return false;
}

int layer_hide(struct layer *l, struct lower_walk *below, struct err *e)
{
	struct hiding h = { .l = l, .below = below };
	int r = 0;

	if (!hides_any(l))
		return 0;
	if (l->root_opaque)
		/*
		 * No layer below an opaque root is part of the image. The line tells the layer from
		 * one that an older version unpacked, which has marks.
		 */
		return layer_deps_add_hidden("", NULL, &l->deps, e);
	for (struct node *n = l->tree.root; r == 0 && n; n = layer_tree_next(l->tree.root, n))
		r = layer_tree_sort(n) < 0 ? err_nomem(e) : hide_in(&h, n, e);
	if (r == 0 && l->o.counts->hidden)
		log_verbose("%llu whiteouts stand for what opaque directories hide",
			(unsigned long long)l->o.counts->hidden);
	buf_done(&h.path);
	return r;
}
