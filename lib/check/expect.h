/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_EXPECT_H
#define CHECK_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../tar/mtree.h"
#include "meta.h"

/*
 * The tree that should be there, in memory: from one specification, or from those of an image's
 * layers, merged as OverlayFS merges the layers themselves (directories merge, everything else
 * hides what is below; ".wh.NAME" and ".wh..wh..opq" concern the layers below only). An entry takes
 * about 30 bytes and its name. What is there stays where it is only as long as nothing is added.
 */
struct expect;
struct expect_node;

/*
 * layered: parents that nothing lists are 0:0 0755, as unpacking makes them; else nothing is known
 * of them.
 */
struct expect *expect_new(bool layered);
void expect_free(struct expect *x);

/*
 * One entry; arg is the struct expect (for mtree_read()). Layers come topmost first. Returns 0,
 * -EINVAL (a path with a ".." component) or -ENOMEM.
 */
int expect_add(const struct mtree_entry *s, void *arg);

/* What is added from now on is of the next layer below. Returns 0 or -E2BIG (65,000 layers). */
int expect_next_layer(struct expect *x);

/* NULL when no entry was added. */
struct expect_node *expect_root(struct expect *x);

/* What should be at this path ("" is the root), or NULL. */
struct expect_node *expect_find(struct expect *x, const char *path);

/*
 * The same for most of the names in d, one after the other: indexed once, they are not looked for
 * all over memory. A directory with more than EXPECT_INDEX_MAX entries is none the faster.
 */
enum { EXPECT_INDEX_MAX = 2048 };
struct expect_index {
	uint32_t slots; /* 0: too many entries */
	struct {
		uint32_t node, hash;
	} table[2 * EXPECT_INDEX_MAX];
};
void expect_index(const struct expect *x, const struct expect_node *d, struct expect_index *ret);
struct expect_node *expect_indexed(const struct expect *x, const struct expect_node *d,
	const struct expect_index *index, const char *name);

/*
 * A whiteout and nothing else stands under this name: a layer's own directory has a device 0:0
 * there.
 */
bool expect_whiteout(const struct expect *x, const struct expect_node *d, const char *name);

/* Those in d, in no order: the one after prev (NULL: the first), NULL at the end. */
struct expect_node *expect_next(
	const struct expect *x, const struct expect_node *d, const struct expect_node *prev);

const char *expect_name(const struct expect_node *n);

/* The layer that it comes from, 0 the topmost: the first that has this path. */
unsigned expect_layer(const struct expect *x, const struct expect_node *n);

/* What is known of it; nothing to be freed. */
void expect_meta(const struct expect *x, const struct expect_node *n, struct meta *ret);

/* A mark, for whoever compares: set by one thread, the one that looks at the directory n is in. */
void expect_mark(struct expect_node *n);
bool expect_marked(const struct expect_node *n);

#endif
