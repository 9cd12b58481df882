/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* expect_ask: what should be there. */

#include "expect_priv.h"

#include <string.h>
#include <sys/sysmacros.h>

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

struct expect_node *expect_child(
	const struct expect *x, const struct expect_node *d, const char *name)
{
	struct expect_node *n = lookup(x, d, name);

	return n && expect_about(x, n)->layer != EXPECT_NO_LAYER ? n : NULL;
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
		return expect_child(x, d, name);
	hash = expect_hash(x, ref_of(x, d), name, strlen(name));
	for (at = hash & (index->slots - 1); index->table[at].node;
		at = (at + 1) & (index->slots - 1)) {
		struct expect_node *n = expect_at(x, index->table[at].node);

		if (index->table[at].hash == hash && !strcmp(n->name, name))
			return expect_about(x, n)->layer != EXPECT_NO_LAYER ? n : NULL;
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
	return n && expect_about(x, expect_at(x, n))->layer != EXPECT_NO_LAYER ? expect_at(x, n) :
										 NULL;
}

bool expect_whiteout(const struct expect *x, const struct expect_node *d, const char *name)
{
	const struct expect_node *n = lookup(x, d, name);

	return n && expect_about(x, n)->layer == EXPECT_NO_LAYER &&
		expect_about(x, n)->white != EXPECT_NO_LAYER;
}

struct expect_node *expect_next(
	const struct expect *x, const struct expect_node *d, const struct expect_node *prev)
{
	uint32_t n = prev ? prev->sibling : d->child;

	while (n && expect_about(x, expect_at(x, n))->layer == EXPECT_NO_LAYER)
		n = expect_at(x, n)->sibling;
	return n ? expect_at(x, n) : NULL;
}

const char *expect_name(const struct expect_node *n)
{
	return n->name;
}

unsigned expect_layer(const struct expect *x, const struct expect_node *n)
{
	return expect_about(x, n)->layer;
}

void expect_meta(const struct expect *x, const struct expect_node *n, struct meta *ret)
{
	const struct expect_facts *a = expect_about(x, n);

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
	n->about |= EXPECT_MARKED;
}

bool expect_marked(const struct expect_node *n)
{
	return n->about & EXPECT_MARKED;
}
