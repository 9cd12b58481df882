/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_place: find or create the parents of an entry, and remove what it replaces. */

#include "layer_place.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "layer_limits.h"

/* ---- parents ---- */

void layer_place_imply_dir(struct node *n)
{
	n->mode = S_IFDIR | 0755;
	n->uid = n->gid = 0;
	n->sec = n->nsec = 0;
}

/* An entry whose parents are being found. */
struct parents {
	struct layer *l;
	const struct layer_entry *en;
	bool make; /* create missing ones on disk */
};

/* Move *dir to its child. */
static int parent_step(
	const struct parents *p, struct node **dir, const char *name, size_t len, struct err *e)
{
	struct layer *l = p->l;
	struct node *n = layer_tree_find(&l->tree, *dir, name, len);
	int r = 0;

	if (layer_is_whiteout(name, len))
		return err_say(
			e, EINVAL, p->en->raw, "its path leads through the name of a whiteout");
	if (!n)
		n = layer_tree_add(&l->tree, *dir, name, len);
	if (!n)
		return err_nomem(e);
	if (!node_exists(n)) {
		layer_place_imply_dir(n);
		r = layer_limits_count_entry(l, p->en->raw, e);
	}
	if (!node_is_dir(n))
		return err_say(e, ENOTDIR, p->en->raw,
			"its parent '%.*s' is not a directory in this layer", (int)len, name);
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
	struct node *n = l->tree.root;
	int r = 0;

	if (l->dir && l->dir_path.len == len && !memcmp(buf_get(&l->dir_path), en->path, len) &&
		(!make || l->dir->flags & NODE_MADE)) {
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

int layer_place_replace(struct layer *l, struct node *n, struct err *e)
{
	int r = writer_remove(&l->w, n, e);
	struct node *i, *next;

	for (i = n; r == 0 && i; i = layer_tree_next(n, i))
		r = i->flags & NODE_PENDING ?
			VEC_ADD(&l->lost, (struct lost_link){ .target = i->link, .node = i }) :
			0;
	if (r < 0)
		return r == -ENOMEM ? err_nomem(e) : r;
	for (i = layer_tree_first_up(n); i != n; i = next) {
		next = layer_tree_next_up(n, i);
		layer_tree_remove(&l->tree, i);
	}
	xattrs_free(n->xattrs);
	n->xattrs = NULL;
	n->link = NULL;
	n->mode = 0;
	n->size = 0;
	n->flags &= NODE_WHITEOUT | NODE_HIDES;
	l->dir = NULL;
	return 0;
}

int layer_place(struct layer *l, const struct layer_entry *en, struct node **ret, struct err *e)
{
	const char *slash = strrchr(en->path, '/'), *base = slash ? slash + 1 : en->path;
	struct node *dir, *n;
	int r = layer_place_parent(l, en, true, &dir, e);

	if (r < 0)
		return r;
	n = layer_tree_find(&l->tree, dir, base, strlen(base));
	if (n && node_exists(n))
		r = layer_place_replace(l, n, e);
	else if (!n)
		n = layer_tree_add(&l->tree, dir, base, strlen(base));
	if (!n)
		return err_nomem(e);
	*ret = n;
	return r;
}
