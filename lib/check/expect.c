/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* expect: what should be there, merged from specifications. */

#include "expect_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../base/cleanup.h"

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"

enum { LAYERS_MAX = 65000, BYTES_MIN = 1 << 16 };
#define NODES_END ((size_t)UINT32_MAX * EXPECT_STEP)

/*
 * --- nodes -------------------------------------------------------------------------------------
 */

/* The number of the first free place, which has size bytes then. 0: no memory. */
static uint32_t take(struct expect *x, size_t size)
{
	size_t at = x->used ? x->used : EXPECT_STEP,
	       end = (at + size + EXPECT_STEP - 1) & ~(size_t)(EXPECT_STEP - 1);

	if (end > x->size) {
		size_t want = end + end / 2 > BYTES_MIN ? end + end / 2 : BYTES_MIN;
		char *p = end > NODES_END ? NULL : realloc(x->bytes, want);

		if (!p)
			return 0;
		x->bytes = p;
		x->size = want;
	}
	x->used = end;
	return (uint32_t)(at / EXPECT_STEP);
}

/*
 * Seeded, so that an image cannot be made whose names all meet in one chain: eight bytes at a time
 * go through a product of two secrets, without which two words that differ in their highest bits
 * could be made to cancel out.
 */
static uint32_t hash_bytes(const struct expect *x, uint64_t h, const void *bytes, size_t len)
{
	const char *p = bytes;

	for (h ^= x->seed.start; len; len -= len < 8 ? len : 8, p += 8) {
		uint64_t w = 0;

		memcpy(&w, p, len < 8 ? len : 8);
		h ^= (uint64_t)((uint32_t)w + x->seed.low) * ((uint32_t)(w >> 32) + x->seed.high);
		h *= 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	return (uint32_t)(h >> 16);
}

uint32_t expect_hash(const struct expect *x, uint32_t dir, const char *name, size_t len)
{
	return hash_bytes(x, dir * 0x9e3779b97f4a7c15ULL, name, len);
}

uint32_t expect_lookup(const struct expect *x, uint32_t dir, const char *name, size_t len)
{
	uint32_t n = x->buckets ? x->table[expect_hash(x, dir, name, len) & (x->buckets - 1)] : 0;

	for (; n; n = expect_at(x, n)->next)
		if (expect_at(x, n)->parent == dir && !strncmp(expect_at(x, n)->name, name, len) &&
			!expect_at(x, n)->name[len])
			return n;
	return 0;
}

static int grow(struct expect *x)
{
	size_t buckets = x->buckets ? x->buckets * 2 : 1024;
	uint32_t *table = calloc(buckets, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < x->buckets; i++)
		for (uint32_t n = x->table[i], after; n; n = after) {
			struct expect_node *node = expect_at(x, n);
			uint32_t h = expect_hash(x, node->parent, node->name, strlen(node->name));

			after = node->next;
			node->next = table[h & (buckets - 1)];
			table[h & (buckets - 1)] = n;
		}
	free(x->table);
	x->table = table;
	x->buckets = buckets;
	return 0;
}

/*
 * --- what is known of them -----------------------------------------------------------------------
 */

/* No padding that compares as anything but zero. */
static struct expect_facts about_new(void)
{
	struct expect_facts a;

	memset(&a, 0, sizeof(a));
	a.layer = a.cut = a.white = EXPECT_NO_LAYER;
	a.implied = true;
	a.mode = S_IFDIR;
	a.known = META_TYPE;
	return a;
}

static int about_grow(struct expect *x)
{
	size_t buckets = x->about_buckets ? x->about_buckets * 2 : 64;
	uint32_t *table = calloc(buckets, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < x->abouts.len; i++) {
		size_t k = hash_bytes(x, 0, &x->abouts.items[i], sizeof(struct expect_facts)) &
			(buckets - 1);

		while (table[k])
			k = (k + 1) & (buckets - 1);
		table[k] = (uint32_t)i + 1;
	}
	free(x->about_table);
	x->about_table = table;
	x->about_buckets = buckets;
	return 0;
}

/* Let n be such a one. */
static int change(struct expect *x, uint32_t n, const struct expect_facts *a)
{
	size_t k;

	if (!memcmp(expect_about(x, expect_at(x, n)), a, sizeof(*a)))
		return 0;
	if (x->abouts.len * 2 >= x->about_buckets && about_grow(x) < 0)
		return -ENOMEM;
	k = hash_bytes(x, 0, a, sizeof(*a)) & (x->about_buckets - 1);
	while (x->about_table[k] &&
		memcmp(&x->abouts.items[x->about_table[k] - 1], a, sizeof(*a)) != 0)
		k = (k + 1) & (x->about_buckets - 1);
	if (!x->about_table[k]) {
		if (x->abouts.len >= EXPECT_UNSORTED - 1 || VEC_ADD(&x->abouts, *a) < 0)
			return -ENOMEM;
		x->about_table[k] = (uint32_t)x->abouts.len;
	}
	expect_at(x, n)->about = (expect_at(x, n)->about & (EXPECT_MARKED | EXPECT_UNSORTED)) |
		(x->about_table[k] - 1);
	return 0;
}

static uint32_t node_new(struct expect *x, uint32_t d, const char *name, size_t len)
{
	uint32_t n = take(x, sizeof(struct expect_node) + len + 1);

	if (!n)
		return 0;
	expect_at(x, n)->about = 0; /* the first one: expect_new() */
	expect_at(x, n)->parent = d;
	expect_at(x, n)->child = expect_at(x, n)->sibling = expect_at(x, n)->next = 0;
	memcpy(expect_at(x, n)->name, name, len);
	expect_at(x, n)->name[len] = '\0';
	return n;
}

/*
 * The node of this name, made when it is not there. 0: no memory. Specifications are sorted, most
 * of them: what comes behind the child that was added last is new, and need not be looked for.
 */
static uint32_t have(struct expect *x, uint32_t d, const char *name, size_t len)
{
	uint32_t last = expect_at(x, d)->child, n, *first;
	int order = last ? strncmp(expect_at(x, last)->name, name, len) : -1;

	if (order == 0 && !expect_at(x, last)->name[len])
		return last;
	if (order >= 0 || expect_at(x, d)->about & EXPECT_UNSORTED) {
		n = expect_lookup(x, d, name, len);
		if (n)
			return n;
		expect_at(x, d)->about |= EXPECT_UNSORTED;
	}

	if (x->len >= x->buckets && grow(x) < 0)
		return 0;
	n = node_new(x, d, name, len);
	if (!n)
		return 0;
	first = &x->table[expect_hash(x, d, name, len) & (x->buckets - 1)];
	expect_at(x, n)->next = *first;
	*first = n;
	expect_at(x, n)->sibling = expect_at(x, d)->child;
	expect_at(x, d)->child = n;
	x->len++;
	return n;
}

struct expect *expect_new(bool layered)
{
	struct expect *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->layered = layered;
	if (getrandom(&x->seed, sizeof(x->seed), 0) != (ssize_t)sizeof(x->seed))
		x->seed.start = (uintptr_t)x; /* better than nothing: addresses are random too */
	x->root = VEC_ADD(&x->abouts, about_new()) < 0 ? 0 : node_new(x, 0, "", 0);
	if (!x->root) {
		expect_free(x);
		return NULL;
	}
	return x;
}

void expect_free(struct expect *x)
{
	if (!x)
		return;
	free(x->bytes);
	free(x->table);
	free(x->about_table);
	VEC_DONE(&x->abouts);
	buf_done(&x->last_path);
	free(x);
}

/*
 * --- merging -----------------------------------------------------------------------------------
 */

int expect_next_layer(struct expect *x)
{
	if (x->layer + 1 >= LAYERS_MAX)
		return -E2BIG;
	x->layer++;
	x->last = 0;
	return 0;
}

static bool is_dir(const struct expect_facts *a)
{
	return a->layer != EXPECT_NO_LAYER && (!(a->known & META_TYPE) || S_ISDIR(a->mode));
}

/*
 * A line about it. What another line of the same layer told of the same path, and this one does
 * not, stays.
 */
static void define(const struct expect *x, struct expect_facts *a, const struct mtree_entry *s)
{
	if (a->implied)
		a->known = 0;
	a->mode = (uint16_t)((s->has_type                         ? s->type :
					     a->known & META_TYPE ? a->mode & S_IFMT :
								    0) |
		(s->has_mode                         ? s->mode & 07777 :
				a->known & META_MODE ? a->mode & 07777 :
						       0));
	a->uid = s->has_uid ? s->uid : a->uid;
	a->gid = s->has_gid ? s->gid : a->gid;
	a->rdev = s->has_rdev ? s->rdev : a->rdev;
	a->known |= (uint8_t)((s->has_type ? META_TYPE : 0) | (s->has_mode ? META_MODE : 0) |
		(s->has_uid ? META_UID : 0) | (s->has_gid ? META_GID : 0) |
		(s->has_rdev ? META_RDEV : 0));
	a->implied = false;
	if (a->layer == EXPECT_NO_LAYER)
		a->layer = x->layer;
}

static int add_entry(struct expect *x, uint32_t n, const struct mtree_entry *s)
{
	struct expect_facts a = *expect_about(x, expect_at(x, n));

	if (a.white < x->layer)
		return 0;
	if (a.layer == EXPECT_NO_LAYER || a.layer == x->layer)
		define(x, &a, s);
	else if (!is_dir(&a))
		return 0;
	else if (s->has_type && !S_ISDIR(s->type))
		a.white = a.white > x->layer ?
			x->layer :
			a.white; /* it ends the merge, and hides what is below it */
	else if (a.implied)
		define(x, &a, s); /* a parent that its own layer did not list is as it was below */
	return change(x, n, &a);
}

/* A step down to a directory on the way to an entry. 0 with *ret 0: hidden by a layer above. */
static uint32_t step(struct expect *x, uint32_t d, const char *name, size_t len, int *ret)
{
	uint32_t n = have(x, d, name, len);
	struct expect_facts a;

	*ret = n ? 0 : -ENOMEM;
	if (!n)
		return 0;
	a = *expect_about(x, expect_at(x, n));
	if (a.white < x->layer)
		return 0;
	if (is_dir(&a))
		return a.cut < x->layer ? 0 : n;
	if (a.layer < x->layer)
		return 0;
	if (a.layer == EXPECT_NO_LAYER) {
		a.layer = x->layer;
	} else {
		a.mode = S_IFDIR; /* one layer, a file and then something in it: the later one
		                     counts */
		a.known = META_TYPE;
		a.implied = true;
	}
	*ret = change(x, n, &a);
	return *ret < 0 || a.cut < x->layer ? 0 : n;
}

static int add_name(struct expect *x, uint32_t d, const char *name, const struct mtree_entry *s)
{
	bool white = !strncmp(name, WHITEOUT, strlen(WHITEOUT)), opaque = !strcmp(name, OPAQUE);
	uint32_t n = d;
	struct expect_facts a;

	if (!opaque)
		n = have(x, d, white ? name + strlen(WHITEOUT) : name,
			strlen(name) - (white ? strlen(WHITEOUT) : 0));
	if (!n)
		return -ENOMEM;
	if (!white)
		return add_entry(x, n, s);
	/* Later layers are lower, so a mark of this layer counts only where none is above it. */
	a = *expect_about(x, expect_at(x, n));
	if (opaque)
		a.cut = a.cut > x->layer ? x->layer : a.cut;
	else
		a.white = a.white > x->layer ? x->layer : a.white;
	return change(x, n, &a);
}

/* The root is there as soon as anything is: 1; 0 when this layer's is hidden, or -ENOMEM. */
static int begin(struct expect *x)
{
	struct expect_facts a = *expect_about(x, expect_at(x, x->root));

	x->any = true;
	if (a.layer == EXPECT_NO_LAYER)
		a.layer = x->layer;
	return change(x, x->root, &a) < 0 ? -ENOMEM : a.cut >= x->layer;
}

/*
 * The last component of path when that is in x->last, which no entry below it can change; else
 * NULL.
 */
static const char *in_last(const struct expect *x, const char *path)
{
	size_t len = x->last_path.len;
	const char *name;

	if (!x->last || strncmp(path, buf_get(&x->last_path), len) != 0 || path[len] != '/')
		return NULL;
	name = path + len + 1;
	return !*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..") ? NULL :
											  name;
}

/* d is where the entry of this path and name is in. */
static int keep_last(struct expect *x, uint32_t d, const char *path, const char *name)
{
	buf_reset(&x->last_path);
	if (name > path)
		buf_add(&x->last_path, path, (size_t)(name - path) - 1);
	x->last = name > path ? d : 0;
	return x->last_path.oom ? -ENOMEM : 0;
}

int expect_add(const struct mtree_entry *s, void *arg)
{
	struct expect *x = arg;
	uint32_t d = x->root;
	const char *p = in_last(x, s->path);
	int r;

	if (p)
		return add_name(x, x->last, p, s);
	x->last = 0;
	p = s->path;
	r = begin(x);
	if (r <= 0)
		return r;
	for (;;) {
		size_t len;

		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (len == 2 && p[0] == '.' && p[1] == '.')
			return -EINVAL;
		if (!len) {
			return add_entry(x, d, s);
		}
		if (!p[len + strspn(p + len, "/")] && !(len == 1 && *p == '.'))
			break;
		if (!(len == 1 && *p == '.'))
			d = step(x, d, p, len, &r);
		if (!d)
			return r;
		p += len;
	}
	if (strchr(p, '/')) {
		scoped_free char *name = strndup(p, strcspn(p, "/"));

		return name ? add_name(x, d, name, s) : -ENOMEM;
	}
	r = keep_last(x, d, s->path, p);
	return r < 0 ? r : add_name(x, d, p, s);
}
