/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_merge: merge layers into one directory, without overlayfs. */

#include "layer_merge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/stop.h"
#include "layer_aside.h"
#include "layer_priv.h"
#include "layer_refuse.h"
#include "layer_replay.h"
#include "layer_resolve.h"
#include "lowerdirs.h"
#include "writer_priv.h"

/* Remove nodes that are not on disk, and clear flags that concern lower layers. */
static void prune(struct layer *l, struct node *top)
{
	for (struct node *n = layer_tree_first_up(top), *next; n; n = next) {
		next = layer_tree_next_up(top, n);
		if (n->flags & NODE_WHITEOUT)
			layer_count(l, dropped, 1);
		if (n->flags & NODE_MADE)
			n->flags = NODE_LISTED | NODE_MADE | (n->flags & NODE_CAPABLE);
		else
			layer_tree_remove(&l->tree, n); /* nothing below it is on disk either */
	}
}

int layer_merge_base(struct layer *l, struct err *e)
{
	const struct lower none = { .n = 0 };
	int r = layer_resolve_lower(l, &none, e);

	for (struct node *n = l->tree.root; n; n = layer_tree_next(l->tree.root, n))
		n->flags &= (uint16_t)~NODE_WHITEOUT; /* counted by layer_resolve_lower() */
	if (r == 0)
		prune(l, l->tree.root);
	return r;
}

/* Two layers that are being merged. */
struct merge {
	struct layer *l;    /* the lower one, which gets the result */
	struct layer *over; /* the upper one */
};

/* ---- hard links to files of lower layers ---- */

static struct node *target_of(const struct merge *m, const char *path)
{
	return layer_tree_hides(&m->over->tree, path) ? NULL :
							layer_tree_look_up(&m->l->tree, path);
}

static int find_target(const struct merge *m, const struct node *n, const char *path,
	struct node **ret, struct err *e)
{
	struct node *target = target_of(m, path);

	*ret = target;
	return layer_check_link(
		n, path, target ? target : layer_tree_look_up(&m->over->tree, path), target, e);
}

/* Link files that over has hard links to, from l. */
static int make_links(const struct merge *m, struct err *e)
{
	struct layer *over = m->over;
	struct node *target;
	int r = 0;

	for (struct node *n = over->tree.root; r == 0 && n;
		n = layer_tree_next(over->tree.root, n)) {
		if (!(n->flags & NODE_PENDING))
			continue;
		r = stop_check(e);
		if (r == 0)
			r = find_target(m, n, n->link, &target, e);
		if (r < 0)
			break;
		n->flags &= (uint16_t)~NODE_PENDING;
		node_take_after(n, target);
		r = writer_link(&over->w, n, &m->l->w, target, e);
	}
	for (size_t i = 0; r == 0 && i < over->lost.len; i++)
		r = find_target(
			m, over->lost.items[i].node, over->lost.items[i].target, &target, e);
	return r;
}

/* ---- merging names ---- */

/* Remove n and everything below it, on disk and in the tree. */
static int clear(struct layer *l, struct node *n, struct err *e)
{
	int r = stop_check(e);

	if (r == 0)
		r = writer_remove(&l->w, n, e);
	if (r < 0)
		return r;
	for (struct node *i = layer_tree_first_up(n), *next; i; i = next) {
		next = layer_tree_next_up(n, i);
		layer_tree_remove(&l->tree, i);
	}
	return 0;
}

static int clear_children(struct layer *l, struct node *dir, struct err *e)
{
	int r = 0;

	while (r == 0 && dir->children)
		r = clear(l, dir->children, e);
	return r;
}

static int rename_into(const struct merge *m, struct node *dir, struct node *c, struct err *e)
{
	int from, to, r = writer_dir(&m->over->w, c->parent, &from, e);

	if (r == 0)
		r = writer_dir(&m->l->w, dir, &to, e);
	if (r < 0)
		return r;
	return renameat(from, c->name, to, c->name) < 0 ?
		node_err(c, errno, e, "cannot move it over the layers below") :
		0;
}

/* Move c from the upper layer into dir, which has no child of that name. */
static int move(const struct merge *m, struct node *dir, struct node *c, struct err *e)
{
	int r;

	prune(m->over, c);
	for (struct node *n = c; n; n = layer_tree_next(c, n))
		writer_forget(&m->over->w, n);
	r = m->l->o.dry ? 0 : rename_into(m, dir, c, e);
	if (r < 0)
		return r;
	layer_tree_graft(&m->l->tree, dir, &m->over->tree, c);
	return 0;
}

/*
 * Merge the directory c over dir: its attributes win if it is listed, and its children will be
 * merged over those of dir.
 */
static int enter(struct layer *l, struct node *dir, struct node *c, struct err *e)
{
	if (c->flags & NODE_LISTED) {
		dir->mode = c->mode;
		dir->uid = c->uid;
		dir->gid = c->gid;
		dir->sec = c->sec;
		dir->nsec = c->nsec;
		xattrs_free(dir->xattrs);
		dir->xattrs = c->xattrs;
		c->xattrs = NULL;
	}
	return c->flags & NODE_OPAQUE ? clear_children(l, dir, e) : 0;
}

/*
 * Merge one name: c of the upper layer over the child of dir. Sets *ret to the directory into which
 * the children of c must be merged, or to NULL.
 */
static int merge_name(
	const struct merge *m, struct node *dir, struct node *c, struct node **ret, struct err *e)
{
	struct node *old = layer_tree_find(&m->l->tree, dir, c->name, c->len);
	int r = 0;

	*ret = NULL;
	if (c->flags & NODE_WHITEOUT && !old)
		layer_count(m->over, dropped, 1);
	if (old && c->flags & (NODE_WHITEOUT | NODE_HIDES)) {
		layer_count(m->over, whiteouts, c->flags & NODE_WHITEOUT ? 1 : 0);
		r = clear(m->l, old, e);
		old = NULL;
	}
	c->flags &= (uint16_t)~NODE_WHITEOUT; /* counted above */
	if (r < 0)
		return r;

	if (old && node_is_dir(old) && node_is_dir(c)) {
		*ret = old;
		return enter(m->l, old, c, e);
	}
	if (!(c->flags & NODE_MADE)) {
		prune(m->over, c);
		return 0;
	}
	if (old && node_is_dir(c) && !(c->flags & NODE_LISTED))
		return layer_refuse_parent(c, e);
	if (old)
		r = clear(m->l, old, e);
	return r < 0 ? r : move(m, dir, c, e);
}

/* Walk the upper tree, parents first; dir is the counterpart of up in the lower tree. */
static int merge_names(const struct merge *m, struct err *e)
{
	struct node *up = m->over->tree.root, *dir = m->l->tree.root, *c = up->children, *next,
		    *down = NULL;

	for (;;) {
		int r;

		while (!c && up->parent) {
			c = up->next;
			up = up->parent;
			dir = dir->parent;
		}
		if (!c)
			return 0;
		next = c->next;
		r = stop_check(e);
		if (r == 0)
			r = merge_name(m, dir, c, &down, e);
		if (r < 0)
			return r;
		if (down) {
			up = c;
			dir = down;
			next = c->children;
		}
		c = next;
	}
}

static int merge_root(const struct merge *m, struct err *e)
{
	struct node *root = m->over->tree.root;

	/* An opaque root counts as listed, so that nothing of the lower root remains. */
	if (m->over->root_opaque)
		root->flags |= NODE_LISTED;
	return enter(m->l, m->l->tree.root, root, e);
}

/* ---- symbolic links ---- */

/* Is the directory n of over, which is not listed or was listed late, a link in l? */
static bool is_link_below(const struct merge *m, const struct node *n, const char *path)
{
	const struct node *below;

	if (!node_is_dir(n) || (n->flags & NODE_LISTED && !(n->flags & NODE_LATE)) ||
		layer_tree_hides(&m->over->tree, path))
		return false;
	below = layer_tree_look_up(&m->l->tree, path);
	return below && S_ISLNK(below->mode);
}

/*
 * Does something below top have a path through a link of l? Returns 1, 0, or -errno with e filled.
 */
static int leads_through_link(const struct merge *m, struct node *top, struct err *e)
{
	for (struct node *n = top; n; n = layer_tree_next(top, n)) {
		scoped_buf struct buf path = BUF_INIT;
		int r = stop_check(e);

		if (n->flags & NODE_PENDING && !target_of(m, n->link))
			return r < 0 ? r : 1; /* it may be behind a link */
		if (r == 0 && n->parent && n->parent != m->over->tree.aside && node_is_dir(n) &&
			(!(n->flags & NODE_LISTED) || n->flags & NODE_LATE))
			r = layer_aside_path(m->over, n, &path, e);
		if (r < 0 || (path.data && is_link_below(m, n, path.data)))
			return r < 0 ? r : 1;
	}
	return 0;
}

/* A links_below.look */
static int look_below(
	void *arg, const char *path, mode_t *ret_type, struct buf *ret_target, struct err *e)
{
	const struct merge *m = arg;
	const struct node *n = layer_tree_look_up(&m->l->tree, path);

	(void)e;
	*ret_type = n ? n->mode & S_IFMT : 0;
	if (n && S_ISLNK(n->mode))
		buf_str(ret_target, n->link);
	return 0;
}

/* Replay over (layer_replay.h) if the paths of its entries lead through symbolic links. */
static int follow_links(struct merge *m, struct err *e)
{
	const struct links_below below = { look_below, m };
	struct layer *over = m->over;
	int r = over->held;

	if (r == 0)
		r = leads_through_link(m, over->tree.root, e);
	if (r == 0 && over->tree.aside)
		r = leads_through_link(m, over->tree.aside, e);
	return r > 0 ? layer_replay(over, &below, e) : r;
}

int layer_merge(struct layer *l, struct layer *over, struct err *e)
{
	struct merge m = { l, over };
	int r = follow_links(&m, e);

	writer_enter(&l->w);
	if (r == 0)
		r = make_links(&m, e);
	if (r == 0)
		r = merge_root(&m, e);
	if (r == 0)
		r = merge_names(&m, e);
	writer_leave(&l->w);
	writer_done(&over->w);
	/* Some nodes of over may have moved to l, even after an error. */
	layer_tree_absorb(&l->tree, &over->tree);
	return r;
}

int layer_merge_find(const struct layer *l, bool (*match)(mode_t mode, bool capability, void *arg),
	void *arg, struct buf *ret_path)
{
	struct node *first = NULL;

	/* layer_tree_next() goes through the names of a directory from the last to the first. */
	for (struct node *n = l->tree.root; n; n = layer_tree_next(l->tree.root, n))
		if (match(n->mode, n->flags & NODE_CAPABLE, arg))
			first = n;
	if (!first)
		return 0;
	node_path(first, ret_path);
	return buf_get(ret_path) ? 1 : -ENOMEM;
}
