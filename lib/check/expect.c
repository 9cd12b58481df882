/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* expect: merge specifications into the expected tree, and answer questions about it. */

#include "expect_nodes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sysmacros.h>

#include "../base/cleanup.h"
#include "../tar/whiteout.h"

enum { LAYERS_MAX = 65000 };

struct expect *expect_new(bool layered)
{
	struct expect *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->layered = layered;
	if (getrandom(&x->seed, sizeof(x->seed), 0) != (ssize_t)sizeof(x->seed))
		x->seed.start = (uintptr_t)x; /* second best: addresses are random, too */
	x->root = VEC_ADD(&x->facts, expect_facts_new()) < 0 ? 0 : expect_node_new(x, 0, "", 0);
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
	free(x->facts_table);
	VEC_DONE(&x->facts);
	buf_done(&x->last_path);
	free(x);
}

/*
 * --- merging ---------------------------------------------------------------------------------
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
 * Take over what one line of a specification describes. Keywords that it lacks keep the value that
 * an earlier line of the same layer gave to the path.
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
	struct expect_facts a = *expect_facts_of(x, expect_at(x, n));

	if (a.whiteout < x->layer)
		return 0;
	if (a.layer == EXPECT_NO_LAYER || a.layer == x->layer)
		define(x, &a, s);
	else if (!is_dir(&a))
		return 0;
	else if (s->has_type && !S_ISDIR(s->type))
		/* A file below a directory ends the merge: it hides the layers below it. */
		a.whiteout = a.whiteout > x->layer ? x->layer : a.whiteout;
	else if (a.implied)
		/* A parent that no layer above lists gets the facts of this layer. */
		define(x, &a, s);
	return expect_node_set(x, n, &a);
}

/*
 * Find or create the directory name in d, on the way to an entry. Returns 0 with *ret 0 if a layer
 * above hides it, and 0 with *ret -ENOMEM.
 */
static uint32_t step(struct expect *x, uint32_t d, const char *name, size_t len, int *ret)
{
	uint32_t n = expect_node_have(x, d, name, len);
	struct expect_facts a;

	*ret = n ? 0 : -ENOMEM;
	if (!n)
		return 0;
	a = *expect_facts_of(x, expect_at(x, n));
	if (a.whiteout < x->layer)
		return 0;
	if (is_dir(&a))
		return a.opaque < x->layer ? 0 : n;
	if (a.layer < x->layer)
		return 0;
	if (a.layer == EXPECT_NO_LAYER) {
		a.layer = x->layer;
	} else {
		/* One layer has a file and then an entry below it: the later one counts. */
		a.mode = S_IFDIR;
		a.known = META_TYPE;
		a.implied = true;
	}
	*ret = expect_node_set(x, n, &a);
	return *ret < 0 || a.opaque < x->layer ? 0 : n;
}

static int add_name(struct expect *x, uint32_t d, const char *name, const struct mtree_entry *s)
{
	bool white = !strncmp(name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)),
	     opaque = !strcmp(name, WHITEOUT_OPAQUE);
	uint32_t n = d;
	struct expect_facts a;

	if (!opaque)
		n = expect_node_have(x, d, white ? name + strlen(WHITEOUT_PREFIX) : name,
			strlen(name) - (white ? strlen(WHITEOUT_PREFIX) : 0));
	if (!n)
		return -ENOMEM;
	if (!white)
		return add_entry(x, n, s);
	/* Layers come topmost first, so a mark from a layer above takes precedence. */
	a = *expect_facts_of(x, expect_at(x, n));
	if (opaque)
		a.opaque = a.opaque > x->layer ? x->layer : a.opaque;
	else
		a.whiteout = a.whiteout > x->layer ? x->layer : a.whiteout;
	return expect_node_set(x, n, &a);
}

/*
 * Note that the tree has a root directory. Returns 1, 0 if a layer above hides this layer's root,
 * or -ENOMEM.
 */
static int begin(struct expect *x)
{
	struct expect_facts a = *expect_facts_of(x, expect_at(x, x->root));

	x->any = true;
	if (a.layer == EXPECT_NO_LAYER)
		a.layer = x->layer;
	return expect_node_set(x, x->root, &a) < 0 ? -ENOMEM : a.opaque >= x->layer;
}

/* The last component of path if it is directly in the directory x->last, else NULL. */
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

/* Cache d, the directory of the entry with this path, whose last component is name. */
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

/*
 * --- lookup ----------------------------------------------------------------------------------
 */

static uint32_t ref_of(const struct expect *x, const struct expect_node *n)
{
	return (uint32_t)((size_t)((const char *)n - x->bytes) / EXPECT_STEP);
}

struct expect_node *expect_root(struct expect *x)
{
	return x->any ? expect_at(x, x->root) : NULL;
}

static struct expect_node *lookup(
	const struct expect *x, const struct expect_node *d, const char *name)
{
	uint32_t n = expect_lookup(x, ref_of(x, d), name, strlen(name));

	return n ? expect_at(x, n) : NULL;
}

static struct expect_node *child(
	const struct expect *x, const struct expect_node *d, const char *name)
{
	struct expect_node *n = lookup(x, d, name);

	return n && expect_facts_of(x, n)->layer != EXPECT_NO_LAYER ? n : NULL;
}

void expect_index(const struct expect *x, const struct expect_node *d, struct expect_index *ret)
{
	uint32_t dir = ref_of(x, d), n = 0, slots = 2;

	for (uint32_t c = d->child; c && n <= EXPECT_INDEX_MAX; c = expect_at(x, c)->sibling)
		n++;
	ret->slots = 0;
	if (n > EXPECT_INDEX_MAX)
		return;
	while (slots < 2 * n)
		slots *= 2;
	memset(ret->table, 0, slots * sizeof(ret->table[0]));
	for (uint32_t c = d->child; c; c = expect_at(x, c)->sibling) {
		uint32_t hash = expect_hash(
				 x, dir, expect_at(x, c)->name, strlen(expect_at(x, c)->name)),
			 at = hash & (slots - 1);

		while (ret->table[at].node)
			at = (at + 1) & (slots - 1);
		ret->table[at].node = c;
		ret->table[at].hash = hash;
	}
	ret->slots = slots;
}

struct expect_node *expect_indexed(const struct expect *x, const struct expect_node *d,
	const struct expect_index *index, const char *name)
{
	uint32_t hash, at;

	if (!index->slots)
		return child(x, d, name);
	hash = expect_hash(x, ref_of(x, d), name, strlen(name));
	for (at = hash & (index->slots - 1); index->table[at].node;
		at = (at + 1) & (index->slots - 1)) {
		struct expect_node *n = expect_at(x, index->table[at].node);

		if (index->table[at].hash == hash && !strcmp(n->name, name))
			return expect_facts_of(x, n)->layer != EXPECT_NO_LAYER ? n : NULL;
	}
	return NULL;
}

struct expect_node *expect_find(struct expect *x, const char *path)
{
	uint32_t n = x->any ? x->root : 0;

	while (n && *path) {
		size_t len = strcspn(path, "/");

		n = expect_lookup(x, n, path, len);
		path += len + (path[len] == '/');
	}
	return n && expect_facts_of(x, expect_at(x, n))->layer != EXPECT_NO_LAYER ?
		expect_at(x, n) :
		NULL;
}

bool expect_whiteout(const struct expect *x, const struct expect_node *d, const char *name)
{
	const struct expect_node *n = lookup(x, d, name);

	return n && expect_facts_of(x, n)->layer == EXPECT_NO_LAYER &&
		expect_facts_of(x, n)->whiteout != EXPECT_NO_LAYER;
}

struct expect_node *expect_next(
	const struct expect *x, const struct expect_node *d, const struct expect_node *prev)
{
	uint32_t n = prev ? prev->sibling : d->child;

	while (n && expect_facts_of(x, expect_at(x, n))->layer == EXPECT_NO_LAYER)
		n = expect_at(x, n)->sibling;
	return n ? expect_at(x, n) : NULL;
}

const char *expect_name(const struct expect_node *n)
{
	return n->name;
}

unsigned expect_layer(const struct expect *x, const struct expect_node *n)
{
	return expect_facts_of(x, n)->layer;
}

void expect_meta(const struct expect *x, const struct expect_node *n, struct meta *ret)
{
	const struct expect_facts *a = expect_facts_of(x, n);

	*ret = (struct meta){
		.known = a->known,
		.mode = a->mode,
		.uid = a->uid,
		.gid = a->gid,
		.rdev_major = major(a->rdev),
		.rdev_minor = minor(a->rdev),
	};
	if (a->implied && x->layered) {
		ret->known = META_STAT;
		ret->mode = S_IFDIR | 0755;
	}
}

void expect_mark(struct expect_node *n)
{
	n->facts |= EXPECT_MARKED;
}

bool expect_marked(const struct expect_node *n)
{
	return n->facts & EXPECT_MARKED;
}
