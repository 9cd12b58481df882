/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* expect_nodes: the nodes of an expected tree in one block of memory, found by hash. */

#include "expect_nodes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MIN = 1 << 16 };
#define NODES_END ((size_t)UINT32_MAX * EXPECT_STEP)

/* Allocate size bytes at the end of the block. Returns their number, or 0 if out of memory. */
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
 * The hash is seeded, so that no image can be crafted whose names all fall into one chain. Each
 * eight bytes are multiplied as two halves with two secrets added: otherwise words that differ in
 * their highest bits only could be chosen to cancel out.
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

/* memset() clears the padding, too, which memcmp() compares. */
struct expect_facts expect_facts_new(void)
{
	struct expect_facts a;

	memset(&a, 0, sizeof(a));
	a.layer = a.opaque = a.whiteout = EXPECT_NO_LAYER;
	a.implied = true;
	a.mode = S_IFDIR;
	a.known = META_TYPE;
	return a;
}

static int facts_grow(struct expect *x)
{
	size_t buckets = x->facts_buckets ? x->facts_buckets * 2 : 64;
	uint32_t *table = calloc(buckets, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < x->facts.len; i++) {
		size_t k = hash_bytes(x, 0, &x->facts.items[i], sizeof(struct expect_facts)) &
			(buckets - 1);

		while (table[k])
			k = (k + 1) & (buckets - 1);
		table[k] = (uint32_t)i + 1;
	}
	free(x->facts_table);
	x->facts_table = table;
	x->facts_buckets = buckets;
	return 0;
}

int expect_node_set(struct expect *x, uint32_t n, const struct expect_facts *a)
{
	size_t k;

	/* Facts are zeroed before they are filled, so that their padding is equal, too. */
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
	if (!memcmp(expect_facts_of(x, expect_at(x, n)), a, sizeof(*a)))
		return 0;
	if (x->facts.len * 2 >= x->facts_buckets && facts_grow(x) < 0)
		return -ENOMEM;
	k = hash_bytes(x, 0, a, sizeof(*a)) & (x->facts_buckets - 1);
	while (x->facts_table[k] &&
		/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
		memcmp(&x->facts.items[x->facts_table[k] - 1], a, sizeof(*a)) != 0)
		k = (k + 1) & (x->facts_buckets - 1);
	if (!x->facts_table[k]) {
		if (x->facts.len >= EXPECT_UNSORTED - 1 || VEC_ADD(&x->facts, *a) < 0)
			return -ENOMEM;
		x->facts_table[k] = (uint32_t)x->facts.len;
	}
	expect_at(x, n)->facts = (expect_at(x, n)->facts & (EXPECT_MARKED | EXPECT_UNSORTED)) |
		(x->facts_table[k] - 1);
	return 0;
}

uint32_t expect_node_new(struct expect *x, uint32_t d, const char *name, size_t len)
{
	uint32_t n = take(x, sizeof(struct expect_node) + len + 1);

	if (!n)
		return 0;
	expect_at(x, n)->facts = 0; /* those of expect_facts_new(): expect_new() adds them first */
	expect_at(x, n)->parent = d;
	expect_at(x, n)->child = expect_at(x, n)->sibling = expect_at(x, n)->next = 0;
	memcpy(expect_at(x, n)->name, name, len);
	expect_at(x, n)->name[len] = '\0';
	return n;
}

/*
 * Most specifications are sorted: a name that sorts after the child that was added last is new, and
 * need not be looked up.
 */
uint32_t expect_node_have(struct expect *x, uint32_t d, const char *name, size_t len)
{
	uint32_t last = expect_at(x, d)->child, n, *first;
	int order = last ? strncmp(expect_at(x, last)->name, name, len) : -1;

	if (order == 0 && !expect_at(x, last)->name[len])
		return last;
	if (order >= 0 || expect_at(x, d)->facts & EXPECT_UNSORTED) {
		n = expect_lookup(x, d, name, len);
		if (n)
			return n;
		expect_at(x, d)->facts |= EXPECT_UNSORTED;
	}

	if (x->len >= x->buckets && grow(x) < 0)
		return 0;
	n = expect_node_new(x, d, name, len);
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
