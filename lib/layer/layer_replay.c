/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_replay: move the entries of a layer to the places where symbolic links lead. */

#include "layer_replay.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fd.h"
#include "../base/stop.h"
#include "../tar/whiteout.h"
#include "layer_add.h"
#include "layer_aside.h"
#include "layer_place.h"
#include "writer_priv.h"

/* An entry of the layer. */
struct replayed {
	uint32_t seq;
	struct node *node;         /* a file, directory or pending hard link; or NULL */
	const struct later *later; /* if node is NULL */
};

struct replay {
	struct layer *from, *to;
	struct links links;
	struct layer_tree marks; /* all whiteouts and opaque directories of the layer: they hide
	                            lower layers from earlier entries, too */
	VEC(struct replayed) entries;
	struct buf path, target; /* of the current entry, as in the archive */
	struct buf at, link;     /* where they lead */
};

/* ---- the entries in their order ---- */

static int collect_nodes(struct replay *s, struct node *top, struct err *e)
{
	for (struct node *n = top; n; n = layer_tree_next(top, n)) {
		const bool dir = node_is_dir(n);

		/* layer_resolve_lower() may have given a directory without entry NODE_LISTED. */
		if (!n->parent || !node_exists(n) || (dir && !n->seq) || n->flags & NODE_RELINK)
			continue;
		if (VEC_ADD(&s->entries, (struct replayed){ .seq = n->seq, .node = n }) < 0)
			return err_nomem(e);
	}
	return 0;
}

static int by_seq(const void *a, const void *b)
{
	const struct replayed *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int collect_mark(struct replay *s, const struct later *x, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT;
	struct node *n = s->marks.root, *child;
	int r = x->node->parent ? layer_aside_path(s->from, x->node, &path, e) : 0;

	if (r < 0)
		return r;
	for (const char *p = buf_get(&path), *end; *p; p = *end ? end + 1 : end, n = child) {
		end = strchrnul(p, '/');
		child = layer_tree_find(&s->marks, n, p, (size_t)(end - p));
		if (!child)
			child = layer_tree_add(&s->marks, n, p, (size_t)(end - p));
		if (!child)
			return err_nomem(e);
	}
	n->flags |= x->opaque ? NODE_OPAQUE : NODE_WHITEOUT;
	return 0;
}

static int collect(struct replay *s, struct err *e)
{
	struct layer *l = s->from;
	int r = collect_nodes(s, l->tree.root, e);

	if (r == 0 && l->tree.aside)
		r = collect_nodes(s, l->tree.aside, e);
	for (size_t i = 0; r == 0 && i < l->later.len; i++) {
		const struct later *x = &l->later.items[i];

		if (x->node && x->node->seq == NODE_SEQ_GONE)
			continue;
		if (x->node && !x->target)
			r = collect_mark(s, x, e);
		if (VEC_ADD(&s->entries, (struct replayed){ .seq = x->seq, .later = x }) < 0)
			r = err_nomem(e);
	}
	if (r == 0 && s->entries.len)
		qsort(s->entries.items, s->entries.len, sizeof(*s->entries.items), by_seq);
	return r;
}

/* Set s->path, and s->target for a hard link, to what the archive has. */
static int names_of(struct replay *s, const struct replayed *x, struct err *e)
{
	const struct later *y = x->later;
	const struct node *n = y && !x->node ? y->node : x->node;
	int r = 0;

	buf_reset(&s->path);
	buf_reset(&s->target);
	if (y && !n)
		buf_str(&s->path, y->path);
	else if (n && (!y || !y->opaque || n->parent))
		r = layer_aside_path(s->from, n, &s->path, e);
	if (r == 0 && y && n && !y->target) {
		/* A whiteout or an opaque marker: its path is that of its directory and a name. */
		const char *path = buf_get(&s->path), *slash = strrchr(path, '/');
		size_t dir = y->opaque ? s->path.len : slash ? (size_t)(slash - path) : 0;

		s->path.len = dir;
		if (s->path.data)
			s->path.data[dir] = '\0';
		buf_printf(&s->path, "%s%s", dir ? "/" : "",
			y->opaque ? WHITEOUT_OPAQUE : WHITEOUT_PREFIX);
		buf_str(&s->path, y->opaque ? "" : n->name);
	}
	if (r == 0 && y && y->target)
		r = layer_aside_path(s->from, y->target, &s->target, e);
	else if (r == 0 && y && y->link)
		buf_str(&s->target, y->link);
	else if (r == 0 && n && n->flags & NODE_PENDING && !y)
		buf_str(&s->target, n->link);
	return buf_get(&s->path) && buf_get(&s->target) ? r : err_nomem(e);
}

/* Follow the links on the way to the last component, and set *ret to the path that has none. */
static int follow(struct replay *s, const char *path, struct buf *ret, bool *ret_own, struct err *e)
{
	const char *slash = strrchr(path, '/');
	int r = links_follow(
		&s->links, path, slash ? (size_t)(slash - path) : 0, s->path.data, ret_own, e);

	buf_reset(ret);
	buf_add(ret, s->links.path.data ? s->links.path.data : "", s->links.path.len);
	if (ret->len)
		buf_char(ret, '/');
	buf_str(ret, slash ? slash + 1 : path);
	if (r == 0 && !buf_get(ret))
		return err_nomem(e);
	if (r == 0 && ret->len >= PATH_MAX + strlen(WHITEOUT_PREFIX)) {
		r = err_say(e, ENAMETOOLONG, s->path.data,
			"the symbolic links in its path lead to a name that is too long");
		err_try(e, "rebuild the image without it");
	}
	return r;
}

/* ---- one entry ---- */

static int again_dir(
	struct replay *s, const struct layer_entry *en, struct node *old, struct err *e)
{
	struct node *n;
	int r = layer_place_dir(s->to, en, &n, e);

	if (r < 0)
		return r;
	n->mode = old->mode;
	n->uid = old->uid;
	n->gid = old->gid;
	n->sec = old->sec;
	n->nsec = old->nsec;
	xattrs_free(n->xattrs);
	n->xattrs = old->xattrs;
	old->xattrs = NULL;
	n->flags |= NODE_LISTED | (old->flags & NODE_HIDES);
	return n->flags & NODE_MADE ? 0 : writer_mkdir(&s->to->w, n, e);
}

static int again_file(
	struct replay *s, const struct layer_entry *en, struct node *old, struct err *e)
{
	struct node *n;
	int r = layer_place(s->to, en, &n, e);

	if (r < 0)
		return r;
	n->flags |= old->flags & (NODE_SKIPPED | NODE_LISTED | NODE_HIDES);
	if (old->flags & NODE_SKIPPED) {
		n->flags |= old->flags & NODE_WHITEOUT;
		return 0;
	}
	node_take_after(n, old);
	return writer_move(&s->to->w, n, &s->from->w, old, e);
}

/*
 * A whiteout below a file has nothing to hide. One whose own layer has the file at its path is
 * refused, as if the layer had not been replayed.
 */
static int again_mark(struct replay *s, struct layer_entry *en, struct err *e)
{
	struct err own = ERR_INIT;
	bool is_own = false;
	int r = follow(s, en->raw, &s->at, &is_own, &own);

	if (r == -ENOTDIR && !(is_own && !s->links.followed)) {
		layer_count(s->from, dropped, 1);
		return 0;
	}
	if (r < 0 && e)
		*e = own;
	en->path = buf_get(&s->at);
	return r < 0 ? r : layer_add_whiteout(s->to, en, e);
}

static int again_link(struct replay *s, struct layer_entry *en, struct err *e)
{
	int r = follow(s, buf_get(&s->target), &s->link, NULL, e);

	if (r < 0) {
		err_prefix(e, "it is a hard link to '%.200s'", buf_get(&s->target));
		return r;
	}
	en->hardlink = buf_get(&s->link);
	return layer_add_hardlink(s->to, en, e);
}

static int again(struct replay *s, const struct replayed *x, struct err *e)
{
	const struct later *y = x->later;
	const bool link = y ? y->target || y->link : x->node->flags & NODE_PENDING;
	struct layer_entry en = { .path = NULL };
	int r = names_of(s, x, e);

	if (r < 0)
		return r;
	s->to->seq = x->seq;
	en.raw = buf_get(&s->path);
	if (y && !link)
		return again_mark(s, &en, e);
	r = follow(s, en.raw, &s->at, NULL, e);
	if (r < 0)
		return r;
	en.path = buf_get(&s->at);
	s->from->moved |= strcmp(en.raw, en.path) != 0;
	if (link)
		return again_link(s, &en, e);
	return node_is_dir(x->node) ? again_dir(s, &en, x->node, e) :
				      again_file(s, &en, x->node, e);
}

/* ---- the whole layer ---- */

/* The root is in both trees, and no entry makes it. */
static void take_root(struct node *to, struct node *from)
{
	to->mode = from->mode;
	to->uid = from->uid;
	to->gid = from->gid;
	to->sec = from->sec;
	to->nsec = from->nsec;
	to->xattrs = from->xattrs;
	from->xattrs = NULL;
	to->flags |= from->flags & (NODE_LISTED | NODE_OPAQUE);
}

/* Replace the directory of l by that of to. */
static int exchange_dirs(struct layer *l, struct layer *to, struct err *e)
{
	int r = 0;

	if (!l->o.dry) {
		r = writer_remove_aside(&l->w, e);
		if (r == 0)
			r = fd_remove_tree(l->w.parentfd, l->w.name, e);
		if (r == 0)
			r = renameat(l->w.parentfd, to->w.name, l->w.parentfd, l->w.name) < 0 ?
				err_set(e, errno, l->w.name,
					"cannot replace the layer's directory") :
				0;
	}
	return r;
}

/* Move the content of to into l. */
static void adopt(struct layer *l, struct layer *to)
{
	struct writer w = l->w;
	char *name = l->w.name;

	l->w = to->w;
	l->w.name = name;
	l->w.tree = &l->tree;
	l->w.o = &l->o;
	w.name = to->w.name;
	to->w = w;
	/* Strings and xattrs of the old tree live on. */
	layer_tree_absorb(&to->tree, &l->tree);
	l->tree = to->tree;
	to->tree = (struct layer_tree){ .root = NULL };
	l->top = l->tree.root;
	l->dir = NULL;
	l->root_opaque |= to->root_opaque;
	VEC_DONE(&l->lost);
	l->lost.items = to->lost.items;
	l->lost.len = to->lost.len;
	l->lost.cap = to->lost.cap;
	to->lost.items = NULL;
	to->lost.len = to->lost.cap = 0;
	VEC_DONE(&l->aside);
	VEC_DONE(&l->later);
	l->held = false;
	l->settled = true;
}

static int replay_all(struct replay *s, const struct links_below *below, struct err *e)
{
	int r = collect(s, e);

	if (r == 0)
		r = links_begin(&s->links, &s->to->tree, &s->marks, below, e);
	if (r < 0)
		return r;
	writer_enter(&s->to->w);
	for (size_t i = 0; r == 0 && i < s->entries.len; i++) {
		r = stop_check(e);
		if (r == 0)
			r = again(s, &s->entries.items[i], e);
	}
	writer_leave(&s->to->w);
	links_end(&s->links);
	return r;
}

/* Make the layer that takes the entries. */
static int begin(struct replay *s, struct err *e)
{
	struct layer *l = s->from;
	struct layer_options o = l->o;
	scoped_buf struct buf name = BUF_INIT;
	int r = layer_tree_init(&s->marks);

	if (r < 0)
		return err_set(e, -r, NULL, "cannot prepare to unpack");
	buf_printf(&name, "%s.again", l->w.name); /* other layers may be staged beside it */
	if (!buf_get(&name))
		return err_nomem(e);
	o.counts = NULL; /* layer_apply() has counted all entries; directories that paths lead
	                    through still count */
	r = layer_new(&(struct layer_dir){ l->w.parentfd, buf_get(&name) }, &o, &s->to, e);
	if (r < 0)
		return r;
	s->to->settled = true;
	take_root(s->to->tree.root, l->tree.root);
	return 0;
}

static void end(struct replay *s)
{
	layer_free(s->to);
	layer_tree_done(&s->marks);
	VEC_DONE(&s->entries);
	buf_done(&s->path);
	buf_done(&s->target);
	buf_done(&s->at);
	buf_done(&s->link);
}

int layer_replay(struct layer *l, const struct links_below *below, struct err *e)
{
	struct replay s = { .from = l };
	int r = begin(&s, e);

	if (r == 0)
		r = replay_all(&s, below, e);
	if (r == 0)
		r = exchange_dirs(l, s.to, e);
	if (r == 0)
		adopt(l, s.to);
	end(&s);
	return r;
}
