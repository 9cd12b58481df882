/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* expect: what should be there, merged from specifications. */

#include "expect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sysmacros.h>

#include "../base/cleanup.h"

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"

enum { NO_LAYER = UINT16_MAX, LAYERS_MAX = 65000, CHUNK = 1 << 18 };

struct expect_node {
	struct expect_node *parent, *child, *sibling, *next; /* next: in the hash chain */
	uint64_t rdev;
	uint32_t hash, uid, gid;
	uint16_t mode;     /* type and 07777 */
	uint16_t layer;    /* the topmost that has it; NO_LAYER: none, it only carries a mark */
	uint16_t cut;      /* layers below this one are hidden inside it */
	uint16_t white;    /* layers below this one are hidden under this name */
	uint8_t known;     /* enum meta_known */
	bool implied;      /* no line told of it so far */
	bool marked;
	char name[];
};

struct chunk {
	struct chunk *next;
	size_t used, size;
	char bytes[];
};

struct expect {
	struct chunk *chunks;
	struct expect_node *root, **table;
	size_t len, buckets;
	uint64_t seed;
	uint16_t layer;
	bool layered, any;
};

/* --- nodes ------------------------------------------------------------------------------------- */

static void *take(struct expect *x, size_t size)
{
	struct chunk *c = x->chunks;
	void *p;

	size = (size + 7) & ~(size_t)7;
	if (!c || c->size - c->used < size) {
		size_t room = size > CHUNK ? size : CHUNK;

		c = malloc(sizeof(*c) + room);
		if (!c)
			return NULL;
		*c = (struct chunk){ .next = x->chunks, .size = room };
		x->chunks = c;
	}
	p = c->bytes + c->used;
	c->used += size;
	return p;
}

/* Seeded, so that an image cannot be made whose names all meet in one chain. */
static uint32_t hash_name(const struct expect *x, const struct expect_node *d, const char *name, size_t len)
{
	uint64_t h = x->seed ^ (uintptr_t)d;

	for (size_t i = 0; i < len; i++) {
		h = (h ^ (unsigned char)name[i]) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	return (uint32_t)(h >> 16);
}

static struct expect_node *find(const struct expect *x, const struct expect_node *d, const char *name, size_t len,
				uint32_t hash)
{
	struct expect_node *n = x->buckets ? x->table[hash & (x->buckets - 1)] : NULL;

	for (; n; n = n->next)
		if (n->hash == hash && n->parent == d && !strncmp(n->name, name, len) && !n->name[len])
			return n;
	return NULL;
}

static int grow(struct expect *x)
{
	size_t buckets = x->buckets ? x->buckets * 2 : 1024;
	struct expect_node **table = calloc(buckets, sizeof(struct expect_node *));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < x->buckets; i++) {
		struct expect_node *n = x->table[i], *after;

		for (; n; n = after) {
			after = n->next;
			n->next = table[n->hash & (buckets - 1)];
			table[n->hash & (buckets - 1)] = n;
		}
	}
	free(x->table);
	x->table = table;
	x->buckets = buckets;
	return 0;
}

static struct expect_node *node_new(struct expect *x, struct expect_node *d, const char *name, size_t len)
{
	struct expect_node *n = take(x, sizeof(*n) + len + 1);

	if (!n)
		return NULL;
	*n = (struct expect_node){
		.parent = d, .layer = NO_LAYER, .cut = NO_LAYER, .white = NO_LAYER, .implied = true,
		.mode = S_IFDIR, .known = META_TYPE,
	};
	memcpy(n->name, name, len);
	n->name[len] = '\0';
	return n;
}

/* The node of this name, made when it is not there. NULL: no memory. */
static struct expect_node *have(struct expect *x, struct expect_node *d, const char *name, size_t len)
{
	uint32_t hash = hash_name(x, d, name, len);
	struct expect_node *n = find(x, d, name, len, hash);

	if (n)
		return n;
	if (x->len >= x->buckets && grow(x) < 0)
		return NULL;
	n = node_new(x, d, name, len);
	if (!n)
		return NULL;
	n->hash = hash;
	n->next = x->table[hash & (x->buckets - 1)];
	x->table[hash & (x->buckets - 1)] = n;
	n->sibling = d->child;
	d->child = n;
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
		x->seed = (uintptr_t)x; /* better than nothing: addresses are random too */
	x->root = node_new(x, NULL, "", 0);
	if (!x->root) {
		free(x);
		return NULL;
	}
	return x;
}

void expect_free(struct expect *x)
{
	if (!x)
		return;
	while (x->chunks) {
		struct chunk *c = x->chunks;

		x->chunks = c->next;
		free(c);
	}
	free(x->table);
	free(x);
}

/* --- merging ----------------------------------------------------------------------------------- */

int expect_next_layer(struct expect *x)
{
	if (x->layer + 1 >= LAYERS_MAX)
		return -E2BIG;
	x->layer++;
	return 0;
}

/* Later layers are lower, so a mark of this layer counts only where none is above it. */
static void mark(struct expect *x, uint16_t *at)
{
	if (*at > x->layer)
		*at = x->layer;
}

static void define(struct expect *x, struct expect_node *n, const struct spec_entry *s)
{
	n->mode = (uint16_t)((s->has_type ? s->type : 0) | (s->mode & 07777));
	n->known = (uint8_t)((s->has_type ? META_TYPE : 0) | (s->has_mode ? META_MODE : 0) |
			     (s->has_uid ? META_UID : 0) | (s->has_gid ? META_GID : 0) | (s->has_rdev ? META_RDEV : 0));
	n->uid = s->uid;
	n->gid = s->gid;
	n->rdev = s->rdev;
	n->implied = false;
	if (n->layer == NO_LAYER)
		n->layer = x->layer;
}

static bool is_dir(const struct expect_node *n)
{
	return n->layer != NO_LAYER && (!(n->known & META_TYPE) || S_ISDIR(n->mode));
}

static void add_entry(struct expect *x, struct expect_node *n, const struct spec_entry *s)
{
	bool dir = !s->has_type || S_ISDIR(s->type);

	if (n->white < x->layer)
		return;
	if (n->layer == NO_LAYER || n->layer == x->layer) {
		define(x, n, s);
		return;
	}
	if (!is_dir(n))
		return;
	if (!dir)
		mark(x, &n->white); /* what is not a directory ends the merge, and hides what is below it */
	else if (n->implied)
		define(x, n, s); /* a parent that its own layer did not list is as it was below */
}

/* A step down to a directory on the way to an entry. NULL with *ret 0: hidden by a layer above. */
static struct expect_node *step(struct expect *x, struct expect_node *d, const char *name, size_t len, int *ret)
{
	struct expect_node *n = have(x, d, name, len);

	*ret = n ? 0 : -ENOMEM;
	if (!n || n->white < x->layer)
		return NULL;
	if (n->layer == NO_LAYER)
		n->layer = x->layer;
	if (is_dir(n))
		return n->cut < x->layer ? NULL : n;
	if (n->layer < x->layer)
		return NULL;
	n->mode = S_IFDIR; /* one layer, a file and then something in it: the later one counts */
	n->known = META_TYPE;
	n->implied = true;
	return n;
}

static int add_name(struct expect *x, struct expect_node *d, const char *name, const struct spec_entry *s)
{
	bool white = !strncmp(name, WHITEOUT, strlen(WHITEOUT));
	struct expect_node *n;

	if (!strcmp(name, OPAQUE)) {
		mark(x, &d->cut);
		return 0;
	}
	n = have(x, d, white ? name + strlen(WHITEOUT) : name, strlen(name) - (white ? strlen(WHITEOUT) : 0));
	if (!n)
		return -ENOMEM;
	if (white)
		mark(x, &n->white);
	else
		add_entry(x, n, s);
	return 0;
}

int expect_add(const struct spec_entry *s, void *arg)
{
	struct expect *x = arg;
	struct expect_node *d = x->root;
	const char *p = s->path;
	int r;

	x->any = true;
	if (d->layer == NO_LAYER)
		d->layer = x->layer;
	if (d->cut < x->layer)
		return 0;
	for (;;) {
		size_t len;

		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (len == 2 && p[0] == '.' && p[1] == '.')
			return -EINVAL;
		if (!len) {
			add_entry(x, d, s);
			return 0;
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
	return add_name(x, d, p, s);
}

/* --- asking ------------------------------------------------------------------------------------ */

struct expect_node *expect_root(struct expect *x)
{
	return x->any ? x->root : NULL;
}

static struct expect_node *lookup(const struct expect *x, const struct expect_node *d, const char *name)
{
	size_t len = strlen(name);

	return find(x, d, name, len, hash_name(x, d, name, len));
}

struct expect_node *expect_child(const struct expect *x, const struct expect_node *d, const char *name)
{
	struct expect_node *n = lookup(x, d, name);

	return n && n->layer != NO_LAYER ? n : NULL;
}

bool expect_whiteout(const struct expect *x, const struct expect_node *d, const char *name)
{
	const struct expect_node *n = lookup(x, d, name);

	return n && n->layer == NO_LAYER && n->white != NO_LAYER;
}

struct expect_node *expect_next(const struct expect_node *d, const struct expect_node *prev)
{
	struct expect_node *n = prev ? prev->sibling : d->child;

	while (n && n->layer == NO_LAYER)
		n = n->sibling;
	return n;
}

const char *expect_name(const struct expect_node *n)
{
	return n->name;
}

unsigned expect_layer(const struct expect_node *n)
{
	return n->layer;
}

void expect_meta(const struct expect *x, const struct expect_node *n, struct meta *ret)
{
	*ret = (struct meta){
		.known = n->known, .mode = n->mode, .uid = n->uid, .gid = n->gid,
		.rdev_major = major(n->rdev), .rdev_minor = minor(n->rdev),
	};
	if (n->implied && x->layered) {
		ret->known = META_STAT;
		ret->mode = S_IFDIR | 0755;
	}
}

void expect_mark(struct expect_node *n)
{
	n->marked = true;
}

bool expect_marked(const struct expect_node *n)
{
	return n->marked;
}
