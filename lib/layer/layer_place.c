/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_place: find or create the parents of an entry, and remove what it replaces. */

#include "layer_place.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "layer_aside.h"
#include "layer_limits.h"

/* ---- parents ---- */

/* An entry whose parents are being found. */
struct parents {
	struct layer *l;
	const struct layer_entry *en;
	bool make; /* create missing ones on disk */
};

static int refuse_whiteout(const struct layer_entry *en, struct err *e)
{
	(void)err_say(e, EINVAL, en->raw, "its path leads through the name of a whiteout");
	err_why(e, "names that begin with .wh. stand for whiteouts, and cannot be directories");
	err_try(e, "rebuild the image with another name");
	return -EINVAL;
}

static int refuse_parent(const struct layer_entry *en, const char *name, size_t len, struct err *e)
{
	(void)err_say(e, ENOTDIR, en->raw, "its parent '%.*s' is not a directory in this layer",
		(int)len, name);
	err_why(e, "an earlier entry of the layer makes a file of that name");
	err_try(e, "rebuild the image: every program refuses it");
	return -ENOTDIR;
}

/* Move *dir to its child. */
static int parent_step(
	const struct parents *p, struct node **dir, const char *name, size_t len, struct err *e)
{
	struct layer *l = p->l;
	struct node *n = layer_tree_find(&l->tree, *dir, name, len);
	int r = 0;

	if (layer_is_whiteout(name, len))
		return refuse_whiteout(p->en, e);
	if (!n)
		n = layer_tree_add(&l->tree, *dir, name, len);
	if (!n)
		return err_nomem(e);
	if (!node_exists(n)) {
		node_imply_dir(n);
		l->unsure = true;
		r = layer_limits_count_entry(l, p->en->raw, e);
	}
	if (!node_is_dir(n))
		return refuse_parent(p->en, name, len, e);
	if (r == 0 && p->make && !(n->flags & NODE_MADE))
		r = writer_mkdir(&l->w, n, e);
	*dir = n;
	return r;
}

int layer_place_parent(
	struct layer *l, const struct layer_entry *en, bool make, struct node **ret, struct err *e)
{
	const char *slash = strrchr(en->path, '/'), *end;
	size_t len = slash ? (size_t)(slash - en->path) : 0;
	const struct parents parents = { l, en, make };
	struct node *n = l->top;
	int r = 0;

	if (layer_is_cached(l, en->path) && (!make || l->dir->flags & NODE_MADE)) {
		*ret = l->dir;
		return 0;
	}
	for (const char *p = en->path; r == 0 && p < en->path + len; p = end + 1) {
		end = strchr(p, '/');
		r = parent_step(&parents, &n, p, (size_t)(end - p), e);
	}
	if (r < 0)
		return r;

	l->dir = n;
	buf_reset(&l->dir_path);
	buf_add(&l->dir_path, en->path, len);
	if (l->dir_path.oom)
		return err_nomem(e);
	*ret = n;
	return 0;
}

/* ---- replacing ---- */

/* Record the targets of hard links to lower layers; *ret: are there any? */
static int lose_links(struct layer *l, struct node *n, bool *ret, struct err *e)
{
	*ret = false;
	for (struct node *i = n; i; i = layer_tree_next(n, i)) {
		if (!(i->flags & NODE_PENDING))
			continue;
		*ret = true;
		if (VEC_ADD(&l->lost, (struct lost_link){ .target = i->link, .node = i }) < 0)
			return err_nomem(e);
	}
	return 0;
}

static int replace(struct layer *l, struct node *n, struct err *e)
{
	struct node *i, *next;
	bool links;
	int r = lose_links(l, n, &links, e);

	l->dir = NULL;
	/* An opaque marker belongs to the directory that is replaced. */
	if (r == 0 && !l->settled && (l->unsure || links || n->flags & NODE_OPAQUE))
		return layer_aside_keep(l, n, e);
	if (r == 0)
		r = writer_remove(&l->w, n, e);
	if (r < 0)
		return r;
	for (i = layer_tree_first_up(n); i != n; i = next) {
		next = layer_tree_next_up(n, i);
		layer_tree_remove(&l->tree, i);
		i->seq = NODE_SEQ_GONE;
	}
	xattrs_free(n->xattrs);
	n->xattrs = NULL;
	n->link = NULL;
	n->mode = 0;
	n->size = 0;
	n->flags &= NODE_WHITEOUT | NODE_HIDES;
	return 0;
}

/* Find or add the node of an entry, and make its parents. */
static int node_of(struct layer *l, const struct layer_entry *en, struct node **ret, struct err *e)
{
	const char *slash = strrchr(en->path, '/'), *base = slash ? slash + 1 : en->path;
	struct node *dir;
	int r = layer_place_parent(l, en, true, &dir, e);

	if (r < 0)
		return r;
	*ret = layer_tree_find(&l->tree, dir, base, strlen(base));
	if (!*ret)
		*ret = layer_tree_add(&l->tree, dir, base, strlen(base));
	return *ret ? 0 : err_nomem(e);
}

int layer_place(struct layer *l, const struct layer_entry *en, struct node **ret, struct err *e)
{
	struct node *n;
	int r = node_of(l, en, &n, e);

	if (r < 0)
		return r;
	if (node_exists(n))
		r = replace(l, n, e);
	n->seq = l->seq;
	*ret = n;
	return r;
}

/* Note that the layer now lists the directory n, which it has already. */
static int list_again(struct layer *l, struct node *n, struct err *e)
{
	bool first = !(n->flags & NODE_LISTED);

	if (first && (n->children || n->flags & NODE_OPAQUE))
		n->flags |= NODE_LATE;
	if (!first && (!l->unsure || l->settled))
		return 0;
	if (!first && layer_aside_keep_attributes(l, n, e) < 0)
		return e ? -e->num : -ENOMEM;
	n->seq = l->seq;
	return 0;
}

int layer_place_dir(struct layer *l, const struct layer_entry *en, struct node **ret, struct err *e)
{
	struct node *n;
	int r = node_of(l, en, &n, e);

	if (r < 0)
		return r;
	if (node_is_dir(n)) {
		r = list_again(l, n, e);
	} else {
		if (node_exists(n)) {
			r = replace(l, n, e);
			n->flags |= NODE_HIDES;
		}
		n->seq = l->seq;
	}
	*ret = n;
	return r;
}
