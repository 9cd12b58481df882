/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_aside: keep entries whose place depends on symbolic links. */

#include "layer_aside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "layer_limits.h"
#include "writer_priv.h"

/*
 * Is a component of the path before the last a symbolic link of the layer; a hard link, maybe to a
 * symbolic link of a lower layer; or, where paths are unsure, a file that may be in another place?
 */
static bool is_behind_link(const struct layer *l, const char *path)
{
	const struct node *n = l->tree.root;

	for (const char *end; n && (end = strchr(path, '/')); path = end + 1) {
		n = end - path > UINT8_MAX ?
			NULL :
			layer_tree_find(&l->tree, n, path, (size_t)(end - path));
		if (n && node_exists(n) && !node_is_dir(n) &&
			(l->unsure || S_ISLNK(n->mode) || n->flags & NODE_PENDING))
			return true;
	}
	return false;
}

bool layer_aside_needed(const struct layer *l, const struct layer_entry *en)
{
	if (!(l->has_links || l->unsure) || l->settled)
		return false;
	return (!layer_is_cached(l, en->path) && is_behind_link(l, en->path)) ||
		(en->hardlink && is_behind_link(l, en->hardlink));
}

int layer_aside_later(struct layer *l, struct later it, struct err *e)
{
	it.seq = l->seq;
	return VEC_ADD(&l->later, it) < 0 ? err_nomem(e) : 0;
}

/* ---- directories in the second root ---- */

static const char *keep_string(
	struct layer *l, const char *on, const char *s, size_t len, struct err *e)
{
	const char *p;

	if (layer_limits_count_kept(l, on, len, e) < 0)
		return NULL;
	p = layer_tree_string(&l->tree, s, len);
	if (!p)
		(void)err_nomem(e);
	return p;
}

/*
 * Find, or make, a directory of the second root for an object whose path in the archive is base and
 * this name. The directory has no child of that name yet. Returns 0 and *ret, or -errno with e
 * filled.
 */
static int dir_for(struct layer *l, const char *base, size_t len, const char *name,
	struct node **ret, struct err *e)
{
	struct aside_dir *last = l->aside.len ? &l->aside.items[l->aside.len - 1] : NULL;
	struct aside_dir new = { .node = NULL };
	char number[32];
	int r = 0;

	if (last && strlen(last->base) == len && !memcmp(last->base, base, len) &&
		!layer_tree_find(&l->tree, last->node, name, strlen(name))) {
		*ret = last->node;
		return 0;
	}
	l->unsure = true;
	if (!l->tree.aside) {
		if (!layer_tree_add_aside(&l->tree))
			return err_nomem(e);
		r = writer_aside(&l->w, e);
	}
	if (r < 0)
		return r;
	new.base = keep_string(l, name, base, len, e);
	if (!new.base)
		return e ? -e->num : -ENOMEM;
	(void)snprintf(number, sizeof(number), "%zu", l->aside.len);
	new.node = layer_tree_add(&l->tree, l->tree.aside, number, strlen(number));
	if (!new.node || VEC_ADD(&l->aside, new) < 0)
		return err_nomem(e);
	node_imply_dir(new.node);
	new.node->sec = (int64_t)l->aside.len -
		1; /* its index in l->aside: such a directory needs no time */
	*ret = new.node;
	return writer_mkdir(&l->w, new.node, e);
}

int layer_aside_path(const struct layer *l, const struct node *n, struct buf *ret, struct err *e)
{
	const struct node *top = n;
	const char *base;

	while (top->parent && top->parent->parent)
		top = top->parent;
	if (top->parent == l->tree.root || !top->parent) {
		node_path(n, ret);
	} else {
		scoped_buf struct buf path = BUF_INIT;

		base = l->aside.items[top->sec].base;
		node_path(n, &path);
		buf_str(ret, base);
		if (path.data)
			buf_str(ret, strchr(path.data, '/') + (*base ? 0 : 1));
		ret->oom |= path.oom;
	}
	return buf_get(ret) ? 0 : err_nomem(e);
}

/* ---- what is replaced ---- */

/* Find a directory of the second root for n, which is still at its path in the archive. */
static int dir_for_node(struct layer *l, struct node *n, struct node **ret, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT;

	if (n->parent->parent)
		node_path(n->parent, &path);
	if (path.oom)
		return err_nomem(e);
	return dir_for(l, path.data ? path.data : "", path.len, n->name, ret, e);
}

int layer_aside_keep(struct layer *l, struct node *n, struct err *e)
{
	const uint16_t kept = n->flags & (NODE_WHITEOUT | NODE_HIDES);
	bool made = n->flags & NODE_MADE;
	struct node *dir, *to;
	int r = dir_for_node(l, n, &dir, e);

	if (r < 0)
		return r;
	for (struct node *i = n; i; i = layer_tree_next(n, i))
		writer_forget(&l->w, i);
	to = layer_tree_move(&l->tree, n, dir);
	if (!to)
		return err_nomem(e);
	to->flags &=
		(uint16_t)~NODE_WHITEOUT; /* the whiteout belongs to the name, and n keeps it */
	n->flags = kept;
	return made ? writer_move(&l->w, to, &l->w, n, e) : 0;
}

int layer_aside_keep_attributes(struct layer *l, struct node *dir, struct err *e)
{
	struct node *to, *parent;
	int r = dir_for_node(l, dir, &parent, e);

	if (r < 0)
		return r;
	to = layer_tree_add(&l->tree, parent, dir->name, dir->len);
	if (!to)
		return err_nomem(e);
	node_take_after(to, dir);
	to->xattrs = dir->xattrs;
	dir->xattrs = NULL;
	to->seq = dir->seq;
	to->flags = dir->flags & (NODE_LISTED | NODE_HIDES);
	return 0;
}

/* ---- entries behind links ---- */

int layer_aside_hold_later(struct layer *l, const struct layer_entry *en, struct err *e)
{
	struct later it = { .path = keep_string(l, en->raw, en->path, strlen(en->path), e) };

	if (it.path && en->hardlink)
		it.link = keep_string(l, en->raw, en->hardlink, strlen(en->hardlink), e);
	if (!it.path || (en->hardlink && !it.link))
		return e ? -e->num : -ENOMEM;
	l->held = l->unsure = true;
	return layer_aside_later(l, it, e);
}

int layer_aside_begin(
	struct layer *l, const struct layer_entry *en, struct buf *ret_path, struct err *e)
{
	const char *slash = strrchr(en->path, '/');
	struct node *dir;
	int r = dir_for(l, en->path, (size_t)(slash - en->path), slash + 1, &dir, e);

	if (r < 0)
		return r;
	buf_printf(ret_path, "%s%s", dir->name, slash);
	if (!buf_get(ret_path))
		return err_nomem(e);
	l->held = true;
	l->dir = NULL;
	l->top = l->tree.aside;
	return 0;
}

void layer_aside_end(struct layer *l)
{
	l->top = l->tree.root;
	l->dir = NULL;
}
