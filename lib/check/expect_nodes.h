/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_EXPECT_NODES_H
#define CHECK_EXPECT_NODES_H

#include "../base/buf.h"
#include "../base/vec.h"
#include "expect.h"

/*
 * The storage of an expected tree. Used by lib/check/expect*.c only.
 *
 * A node is identified by its offset in expect.bytes, in units of EXPECT_STEP bytes; 0 means none.
 */
enum { EXPECT_NO_LAYER = UINT16_MAX, EXPECT_STEP = 4 };

/* Flags in expect_node.facts. UNSORTED: the children were not added in the order of their names. */
enum { EXPECT_MARKED = 1U << 31, EXPECT_UNSORTED = 1 << 30 };

/*
 * The facts about a node. Few nodes of a tree differ in them, so each distinct set is stored once
 * and nodes hold its index. Compared with memcmp(): see expect_facts_new().
 */
struct expect_facts {
	uint64_t rdev;
	uint32_t uid, gid;
	uint16_t mode;     /* type and the 07777 bits */
	uint16_t layer;    /* the topmost that has it; EXPECT_NO_LAYER: there is only a whiteout */
	uint16_t opaque;   /* layers below this one are hidden inside the directory */
	uint16_t whiteout; /* layers below this one are hidden under this name */
	uint8_t known;     /* enum meta_known */
	bool implied;      /* only a parent of listed entries: no line describes it */
};

/* Kept small: a million nodes have to fit into some megabytes. */
struct expect_node {
	uint32_t parent, child, sibling, next; /* next: in the chain of the hash table */
	uint32_t facts;                        /* index, and EXPECT_MARKED, EXPECT_UNSORTED */
	char name[];
};

struct expect {
	char *bytes; /* all nodes; the block moves when it grows */
	size_t used, size;
	uint32_t root, *table, *facts_table;
	size_t len, buckets, facts_buckets;
	VEC(struct expect_facts) facts;
	struct {
		uint64_t start;
		uint32_t low, high;
	} seed;
	uint16_t layer; /* the layer that is being added, 0 is the topmost */
	bool layered, any;
	/* Cache of the parent directory of the previous entry: most entries have the same one. */
	struct buf last_path;
	uint32_t last; /* 0: none, or it is hidden by a layer above */
};

static inline struct expect_node *expect_at(const struct expect *x, uint32_t ref)
{
	/* Every offset is a multiple of the alignment. */
	return (struct expect_node *)(void *)(x->bytes + (size_t)ref * EXPECT_STEP);
}

static inline const struct expect_facts *expect_facts_of(
	const struct expect *x, const struct expect_node *n)
{
	return &x->facts.items[n->facts & ~(EXPECT_MARKED | EXPECT_UNSORTED)];
}

/* The facts of a new node, an implied directory, with all padding bytes zero. */
struct expect_facts expect_facts_new(void);

/* The hash of a name in the directory dir. */
uint32_t expect_hash(const struct expect *x, uint32_t dir, const char *name, size_t len);

/* Find the node of this name in the directory dir, or 0. */
uint32_t expect_lookup(const struct expect *x, uint32_t dir, const char *name, size_t len);

/* Create a node that is not linked into the tree yet. Returns 0 if out of memory. */
uint32_t expect_node_new(struct expect *x, uint32_t dir, const char *name, size_t len);

/* Find the node of this name in the directory dir, or create it. Returns 0 if out of memory. */
uint32_t expect_node_have(struct expect *x, uint32_t dir, const char *name, size_t len);

/* Set the facts about node n. Returns 0 or -ENOMEM. */
MUST_CHECK int expect_node_set(struct expect *x, uint32_t n, const struct expect_facts *a);

#endif
