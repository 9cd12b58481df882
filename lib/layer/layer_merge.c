/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_merge: a layer on top of another, in one directory. */

#include "layer_merge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../base/stop.h"
#include "layer_priv.h"
#include "writer_priv.h"

/* Take what nothing was made of out of the tree, and the flags that concern layers below. */
static void prune(struct layer *l, struct node *top)
{
	for (struct node *n = layer_tree_first_up(top), *next; n; n = next) {
		next = layer_tree_next_up(top, n);
		if (n->flags & NODE_WHITEOUT)
			layer_count(l, dropped, 1);
		if (n->flags & NODE_MADE)
			n->flags = NODE_LISTED | NODE_MADE | (n->flags & NODE_CAPABLE);
		else
			layer_tree_remove(&l->tree, n); /* and nothing below it was made, either */
	}
}

int layer_merge_base(struct layer *l, struct err *e)
{
	const struct lower none = { .n = 0 };
	int r = layer_resolve_lower(l, &none, e);

	for (struct node *n = l->tree.root; n; n = layer_tree_next(l->tree.root, n))
		n->flags &= (uint16_t)~NODE_WHITEOUT; /* counted there */
	if (r == 0)
		prune(l, l->tree.root);
	return r;
}

/* ---- hard links to files of the layers below ---- */

static int find_target(struct layer *l, struct layer *over, const struct node *n, const char *path,
	struct node **ret, struct err *e)
{
	struct node *target = layer_hides(over, path) ? NULL : layer_look_up(l, path);

	if (!target || node_is_dir(target))
		return layer_refuse_link(n, path, target, e);
	*ret = target;
	return 0;
}

static int make_links(struct layer *l, struct layer *over, struct err *e)
{
	struct node *target;
	int r = 0;

	for (struct node *n = over->tree.root; r == 0 && n;
		n = layer_tree_next(over->tree.root, n)) {
		if (!(n->flags & NODE_PENDING))
			continue;
		r = stop_check(e);
		if (r == 0)
			r = find_target(l, over, n, n->link, &target, e);
		if (r < 0)
			break;
		n->flags &= (uint16_t)~NODE_PENDING;
		node_take_after(n, target);
		r = writer_link(&over->w, n, &l->w, target, e);
	}
	for (size_t i = 0; r == 0 && i < over->wanted.len; i++)
		r = find_target(l, over, over->wanted.items[i].node, over->wanted.items[i].link,
			&target, e);
	return r;
}

/* ---- names ---- */

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

static int rename_into(
	struct layer *l, struct node *dir, struct layer *over, struct node *c, struct err *e)
{
	int from, to, r = writer_dir(&over->w, c->parent, &from, e);

	if (r == 0)
		r = writer_dir(&l->w, dir, &to, e);
	if (r < 0)
		return r;
	return renameat(from, c->name, to, c->name) < 0 ?
		node_err(c, errno, e, "cannot move it on top of the layers below") :
		0;
}

/*
 * Move c, which lies in a directory of the upper layer, into dir, which has nothing of that name.
 */
static int move(
	struct layer *l, struct node *dir, struct layer *over, struct node *c, struct err *e)
{
	int r;

	prune(over, c);
	for (struct node *n = c; n; n = layer_tree_next(c, n))
		writer_forget(&over->w, n);
	r = l->o.dry ? 0 : rename_into(l, dir, over, c, e);
	if (r < 0)
		return r;
	layer_tree_graft(&l->tree, dir, &over->tree, c);
	return 0;
}

/*
 * The upper directory's attributes show, if it is listed; its children are put on top of what dir
 * has.
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
 * One name: c of the upper layer, old of those below or NULL. *ret: the directory in which c's
 * children go on, or NULL.
 */
static int join_name(struct layer *l, struct node *dir, struct node *old, struct layer *over,
	struct node *c, struct node **ret, struct err *e)
{
	int r = 0;

	*ret = NULL;
	if (c->flags & NODE_WHITEOUT && !old)
		layer_count(over, dropped, 1);
	if (old && c->flags & (NODE_WHITEOUT | NODE_HIDES)) {
		layer_count(over, whiteouts, c->flags & NODE_WHITEOUT ? 1 : 0);
		r = clear(l, old, e);
		old = NULL;
	}
	c->flags &= (uint16_t)~NODE_WHITEOUT; /* it was counted */
	if (r < 0)
		return r;

	if (old && node_is_dir(old) && node_is_dir(c)) {
		*ret = old;
		return enter(l, old, c, e);
	}
	if (!(c->flags & NODE_MADE)) {
		prune(over, c);
		return 0;
	}
	if (old && node_is_dir(c) && !(c->flags & NODE_LISTED))
		return layer_refuse_parent(c, old->mode, e);
	if (old)
		r = clear(l, old, e);
	return r < 0 ? r : move(l, dir, over, c, e);
}

static int join_names(struct layer *l, struct layer *over, struct err *e)
{
	struct node *up = over->tree.root, *dir = l->tree.root, *c = up->children, *next,
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
			r = join_name(l, dir, layer_tree_find(&l->tree, dir, c->name, c->len), over,
				c, &down, e);
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

static int join_root(struct layer *l, struct layer *over, struct err *e)
{
	struct node *root = over->tree.root;

	/* An opaque root that is not listed: nothing is left of the one below. */
	if (over->root_opaque)
		root->flags |= NODE_LISTED;
	return enter(l, l->tree.root, root, e);
}

int layer_merge(struct layer *l, struct layer *over, struct err *e)
{
	int r;

	writer_enter(&l->w);
	r = make_links(l, over, e);
	if (r == 0)
		r = join_root(l, over, e);
	if (r == 0)
		r = join_names(l, over, e);
	writer_leave(&l->w);
	writer_done(&over->w);
	layer_tree_absorb(
		&l->tree, &over->tree); /* some of its nodes may have moved, whatever happened */
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
