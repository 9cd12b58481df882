/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_place: where an entry of a layer goes, and what has to make room for it. */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "layer_priv.h"

int layer_count_entry(struct layer *l, const char *on, struct err *e)
{
	if (__atomic_add_fetch(&l->o.totals->entries, 1, __ATOMIC_RELAXED) > l->o.limits.entries)
		return entry_over_limit(on,
			l->o.totals->shared ? "layers have together" : "layer has", "--max-entries",
			l->o.limits.entries, e);
	layer_count(l, entries, 1);
	return 0;
}

/* ---- parents ---- */

void layer_imply_dir(struct node *n)
{
	n->mode = S_IFDIR | 0755;
	n->uid = n->gid = 0;
	n->sec = n->nsec = 0;
}

static int parent_step(struct layer *l, struct node *dir, const char *name, size_t len, bool make,
	const struct layer_entry *en, struct node **ret, struct err *e)
{
	struct node *n = layer_tree_find(&l->tree, dir, name, len);
	int r = 0;

	if (layer_is_whiteout(name, len))
		return err_say(e, EINVAL, en->raw, "its path leads through a whiteout's name");
	if (!n)
		n = layer_tree_add(&l->tree, dir, name, len);
	if (!n)
		return err_nomem(e);
	if (!node_exists(n)) {
		layer_imply_dir(n);
		r = layer_count_entry(l, en->raw, e);
	}
	if (!node_is_dir(n))
		return err_say(e, ENOTDIR, en->raw,
			"its parent '%.*s' is no directory in this layer", (int)len, name);
	if (r == 0 && make && !(n->flags & NODE_MADE))
		r = writer_mkdir(&l->w, n, e);
	*ret = n;
	return r;
}

int layer_parent_dir(
	struct layer *l, const struct layer_entry *en, bool make, struct node **ret, struct err *e)
{
	const char *slash = strrchr(en->path, '/'), *end;
	size_t len = slash ? (size_t)(slash - en->path) : 0;
	struct node *n = l->tree.root;
	int r = 0;

	if (l->dir && l->dir_path.len == len && !memcmp(buf_get(&l->dir_path), en->path, len) &&
		(!make || l->dir->flags & NODE_MADE)) {
		*ret = l->dir;
		return 0;
	}
	for (const char *p = en->path; r == 0 && p < en->path + len; p = end + 1) {
		end = strchr(p, '/');
		r = parent_step(l, n, p, (size_t)(end - p), make, en, &n, e);
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

int layer_replace(struct layer *l, struct node *n, struct err *e)
{
	int r = writer_remove(&l->w, n, e);
	struct node *i, *next;

	for (i = n; r == 0 && i; i = layer_tree_next(n, i))
		r = i->flags & NODE_PENDING ?
			VEC_ADD(&l->wanted, (struct lost_link){ .link = i->link, .node = i }) :
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
	int r = layer_parent_dir(l, en, true, &dir, e);

	if (r < 0)
		return r;
	n = layer_tree_find(&l->tree, dir, base, strlen(base));
	if (n && node_exists(n))
		r = layer_replace(l, n, e);
	else if (!n)
		n = layer_tree_add(&l->tree, dir, base, strlen(base));
	if (!n)
		return err_nomem(e);
	*ret = n;
	return r;
}

struct node *layer_look_up(const struct layer *l, const char *path)
{
	struct node *n = l->tree.root;

	for (const char *p = path, *end; n && *p; p = *end ? end + 1 : end) {
		end = strchrnul(p, '/');
		n = end - p > UINT8_MAX ? NULL : layer_tree_find(&l->tree, n, p, (size_t)(end - p));
	}
	return n;
}
