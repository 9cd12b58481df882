/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_tree: an in-memory tree of the names in one layer, with a hash table for lookups. */

#include "layer_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK ((size_t)128 * 1024)

struct arena {
	struct arena *older;
	size_t used, size;
	_Alignas(16) char mem[];
};

static void *arena_alloc(struct layer_tree *t, size_t n)
{
	struct arena *a = t->arena;
	size_t size = n > ARENA_BLOCK ? n : ARENA_BLOCK;

	n = (n + 7) & ~(size_t)7;
	if (!a || a->size - a->used < n) {
		size = (size + 7) & ~(size_t)7;
		a = malloc(sizeof(*a) + size);
		if (!a)
			return NULL;
		*a = (struct arena){ .older = t->arena, .size = size };
		t->arena = a;
	}
	a->used += n;
	return a->mem + a->used - n;
}

/* The hash is keyed, so that an image cannot contain names that are chosen to collide. */
static uint32_t hash_name(
	const struct layer_tree *t, const struct node *parent, const char *name, size_t len)
{
	const uint64_t h = keyed_hash(&t->key, (uintptr_t)parent, name, len);

	return (uint32_t)(h ^ h >> 32);
}

int layer_tree_init(struct layer_tree *t)
{
	int r;

	*t = (struct layer_tree){ .mask = 1023 };
	r = hash_key_new(&t->key);
	if (r < 0)
		return r;
	t->buckets = calloc(t->mask + 1, sizeof(*t->buckets));
	t->root = arena_alloc(t, sizeof(*t->root) + 1);
	if (!t->buckets || !t->root) {
		layer_tree_done(t);
		return -ENOMEM;
	}
	*t->root = (struct node){ .mode = 0040700, .slot = -1 };
	t->root->name[0] = '\0';
	return 0;
}

static void free_xattrs(struct node *top)
{
	for (struct node *n = top; n; n = layer_tree_next(top, n)) {
		xattrs_free(n->xattrs);
		n->xattrs = NULL;
	}
}

void layer_tree_done(struct layer_tree *t)
{
	if (t->root)
		free_xattrs(t->root);
	if (t->aside)
		free_xattrs(t->aside);
	free(t->buckets);
	while (t->arena) {
		struct arena *older = t->arena->older;

		free(t->arena);
		t->arena = older;
	}
	*t = (struct layer_tree){ .root = NULL };
}

struct node *layer_tree_find(
	const struct layer_tree *t, const struct node *parent, const char *name, size_t len)
{
	uint32_t h = hash_name(t, parent, name, len);

	for (struct node *n = t->buckets[h & t->mask]; n; n = n->chain)
		if (n->hash == h && n->parent == parent && n->len == len &&
			!memcmp(n->name, name, len))
			return n;
	return NULL;
}

struct node *layer_tree_look_up(const struct layer_tree *t, const char *path)
{
	struct node *n = t->root;

	for (const char *p = path, *end; n && *p; p = *end ? end + 1 : end) {
		end = strchrnul(p, '/');
		n = end - p > UINT8_MAX ? NULL : layer_tree_find(t, n, p, (size_t)(end - p));
	}
	return n;
}

bool layer_tree_hides(const struct layer_tree *t, const char *path)
{
	const struct node *n = t->root;

	for (const char *p = path, *end; *p; p = *end ? end + 1 : end) {
		end = strchrnul(p, '/');
		if (node_hides(n))
			return true;
		n = layer_tree_find(t, n, p, (size_t)(end - p));
		if (!n)
			return false;
	}
	return n->flags & NODE_WHITEOUT;
}

/* Failing to grow only costs speed. */
static void grow(struct layer_tree *t)
{
	size_t mask = t->mask * 2 + 1;
	struct node **to = calloc(mask + 1, sizeof(*to));

	if (!to)
		return;
	for (size_t i = 0; i <= t->mask; i++) {
		for (struct node *n = t->buckets[i], *chain; n; n = chain) {
			chain = n->chain;
			n->chain = to[n->hash & mask];
			to[n->hash & mask] = n;
		}
	}
	free(t->buckets);
	t->buckets = to;
	t->mask = mask;
}

/* Add the node to the hash table. */
static void chain(struct layer_tree *t, struct node *n)
{
	struct node **bucket;

	n->hash = hash_name(t, n->parent, n->name, n->len);
	bucket = &t->buckets[n->hash & t->mask];
	n->chain = *bucket;
	*bucket = n;
	t->n++;
}

static void unchain(struct layer_tree *t, struct node *n)
{
	struct node **p = &t->buckets[n->hash & t->mask];

	while (*p != n)
		p = &(*p)->chain;
	*p = n->chain;
	t->n--;
}

static void link_child(struct node *parent, struct node *n)
{
	n->parent = parent;
	n->prev = NULL;
	n->next = parent->children;
	if (n->next)
		n->next->prev = n;
	parent->children = n;
}

static void unlink_child(struct node *n)
{
	if (n->prev)
		n->prev->next = n->next;
	else
		n->parent->children = n->next;
	if (n->next)
		n->next->prev = n->prev;
}

struct node *layer_tree_add(struct layer_tree *t, struct node *parent, const char *name, size_t len)
{
	struct node *n = arena_alloc(t, sizeof(*n) + len + 1);

	if (!n)
		return NULL;
	if (t->n > t->mask)
		grow(t);

	*n = (struct node){ .slot = -1, .len = (uint8_t)len };
	memcpy(n->name, name, len);
	n->name[len] = '\0';
	link_child(parent, n);
	chain(t, n);
	return n;
}

struct node *layer_tree_add_aside(struct layer_tree *t)
{
	t->aside = arena_alloc(t, sizeof(*t->aside) + 1);
	if (!t->aside)
		return NULL;
	*t->aside = (struct node){ .mode = 0040700, .slot = -1 };
	t->aside->name[0] = '\0';
	return t->aside;
}

struct node *layer_tree_move(struct layer_tree *t, struct node *n, struct node *parent)
{
	struct node *to = layer_tree_add(t, parent, n->name, n->len);

	if (!to)
		return NULL;
	to->xattrs = n->xattrs;
	to->born_uid = n->born_uid;
	to->born_gid = n->born_gid;
	node_take_after(to, n);
	to->seq = n->seq;
	to->flags = n->flags;
	while (n->children)
		layer_tree_graft(t, to, t, n->children);
	n->xattrs = NULL;
	n->link = NULL;
	n->size = 0;
	n->mode = 0;
	n->flags = 0;
	return to;
}

void layer_tree_remove(struct layer_tree *t, struct node *n)
{
	unchain(t, n);
	unlink_child(n);
	xattrs_free(n->xattrs);
	n->xattrs = NULL;
}

void layer_tree_graft(
	struct layer_tree *to, struct node *parent, struct layer_tree *from, struct node *n)
{
	/* A hash depends on the tree's key and the parent's address. */
	for (struct node *i = n; i; i = layer_tree_next(n, i))
		unchain(from, i);
	unlink_child(n);
	link_child(parent, n);
	for (struct node *i = n; i; i = layer_tree_next(n, i)) {
		if (to->n > to->mask)
			grow(to);
		chain(to, i);
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(struct node *const *)a)->name, (*(struct node *const *)b)->name);
}

int layer_tree_sort(struct node *dir)
{
	struct node **all, *n;
	size_t count = 0, i = 0;

	for (n = dir->children; n; n = n->next)
		count++;
	if (count < 2)
		return 0;
	all = calloc(count, sizeof(struct node *));
	if (!all)
		return -ENOMEM;
	for (n = dir->children; n; n = n->next)
		all[i++] = n;
	qsort(all, count, sizeof(struct node *), compare_names);
	for (i = 0; i < count; i++) {
		all[i]->prev = i ? all[i - 1] : NULL;
		all[i]->next = i + 1 < count ? all[i + 1] : NULL;
	}
	dir->children = all[0];
	free(all);
	return 0;
}

void layer_tree_absorb(struct layer_tree *to, struct layer_tree *from)
{
	struct arena *oldest = from->arena;

	if (oldest) {
		free_xattrs(from->root);
		if (from->aside)
			free_xattrs(from->aside);
		while (oldest->older)
			oldest = oldest->older;
		/* The block at the head of the list is still being filled. */
		oldest->older = to->arena->older;
		to->arena->older = from->arena;
	}
	free(from->buckets);
	*from = (struct layer_tree){ .root = NULL };
}

const char *layer_tree_string(struct layer_tree *t, const char *s, size_t len)
{
	char *p = arena_alloc(t, len + 1);

	if (!p)
		return NULL;
	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

struct node *layer_tree_next(const struct node *top, struct node *n)
{
	if (n->children)
		return n->children;
	while (n != top && !n->next)
		n = n->parent;
	return n == top ? NULL : n->next;
}

struct node *layer_tree_first_up(struct node *top)
{
	while (top->children)
		top = top->children;
	return top;
}

struct node *layer_tree_next_up(const struct node *top, struct node *n)
{
	if (n == top)
		return NULL;
	return n->next ? layer_tree_first_up(n->next) : n->parent;
}

void node_path(const struct node *n, struct buf *ret)
{
	size_t len = 0;
	const struct node *i;
	char *p;

	for (i = n; i->parent; i = i->parent)
		len += i->len + (i->parent->parent ? 1 : 0);
	p = malloc(len + 1);
	if (!p) {
		ret->oom = true;
		return;
	}
	p[len] = '\0';
	for (i = n; i->parent; i = i->parent) {
		len -= i->len;
		memcpy(p + len, i->name, i->len);
		if (len)
			p[--len] = '/';
	}
	buf_str(ret, p);
	free(p);
}

int node_err(const struct node *n, int num, struct err *e, const char *what)
{
	scoped_buf struct buf b = BUF_INIT;
	const char *path;

	node_path(n, &b);
	path = buf_get(&b);
	if (path && !*path)
		path = ".";
	return err_set(e, num, path, "%s", what);
}
