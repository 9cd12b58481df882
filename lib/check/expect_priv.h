/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_EXPECT_PRIV_H
#define CHECK_EXPECT_PRIV_H

/* Between expect.c (merging) and expect_ask.c. */

#include "../base/buf.h"
#include "../base/vec.h"
#include "expect.h"

/* Nodes are found by number: a place in bytes, counted in steps of EXPECT_STEP. 0 is none. */
enum { EXPECT_NO_LAYER = UINT16_MAX, EXPECT_STEP = 4 };

/*
 * Beside the number of a node's struct expect_facts. UNSORTED: its children were not added in the
 * order of their names.
 */
enum { EXPECT_MARKED = 1U << 31, EXPECT_UNSORTED = 1 << 30 };

/*
 * What is known of a node. Most trees have few different ones, so that a node holds the number of
 * its own.
 */
struct expect_facts {
	uint64_t rdev;
	uint32_t uid, gid;
	uint16_t mode;  /* type and 07777 */
	uint16_t layer; /* the topmost that has it; EXPECT_NO_LAYER: none, it only carries a mark */
	uint16_t cut;   /* layers below this one are hidden inside it */
	uint16_t white; /* layers below this one are hidden under this name */
	uint8_t known;  /* enum meta_known */
	bool implied;   /* no line told of it so far */
};

/* A million of them must fit into few megabytes. */
struct expect_node {
	uint32_t parent, child, sibling, next; /* next: in the hash chain */
	uint32_t about; /* and EXPECT_MARKED, and EXPECT_UNSORTED: its children were not added in
	                   the order of their names */
	char name[];
};

struct expect {
	char *bytes; /* all nodes; it moves when it grows */
	size_t used, size;
	uint32_t root, *table, *about_table;
	size_t len, buckets, about_buckets;
	VEC(struct expect_facts) abouts;
	struct {
		uint64_t start;
		uint32_t low, high;
	} seed;
	uint16_t layer;
	bool layered, any;
	/* The directory of the entry before, which is that of most entries: found once. */
	struct buf last_path;
	uint32_t last; /* 0: none, or a layer above hides it */
};

static inline struct expect_node *expect_at(const struct expect *x, uint32_t ref)
{
	return (struct expect_node *)(void *)(x->bytes +
		(size_t)ref * EXPECT_STEP); /* they are aligned when made */
}

static inline const struct expect_facts *expect_about(
	const struct expect *x, const struct expect_node *n)
{
	return &x->abouts.items[n->about & ~(EXPECT_MARKED | EXPECT_UNSORTED)];
}

/* Of a name in the directory of this number. */
uint32_t expect_hash(const struct expect *x, uint32_t dir, const char *name, size_t len);

/* The node of this name in the directory of this number; 0. */
uint32_t expect_lookup(const struct expect *x, uint32_t dir, const char *name, size_t len);

#endif
