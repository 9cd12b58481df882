/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_EXPECT_H
#define CHECK_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../tar/mtree.h"
#include "meta.h"

/*
 * The expected tree, in memory: from one specification, or from the specifications of an image's
 * layers, merged like OverlayFS merges the layers (directories merge, other files hide what is
 * below; ".wh.NAME" and ".wh..wh..opq" affect lower layers only). An entry needs about 30 bytes
 * plus its name. Pointers to nodes are valid until the next entry is added.
 */
struct expect;
struct expect_node;

/*
 * layered: parents that no entry describes are 0:0 0755, as unpacking creates them; otherwise
 * nothing but their type is known. Returns NULL if out of memory.
 */
struct expect *expect_new(bool layered);
void expect_free(struct expect *x);

/*
 * Add one entry; arg is the struct expect (a callback of mtree_read()). Layers are added topmost
 * first. Returns 0, -EINVAL (a path with a ".." component) or -ENOMEM.
 */
MUST_CHECK int expect_add(const struct mtree_entry *s, void *arg);

/* Continue with the next lower layer. Returns 0 or -E2BIG (65,000 layers). */
MUST_CHECK int expect_next_layer(struct expect *x);

/* The root directory, or NULL if no entry was added. */
struct expect_node *expect_root(struct expect *x);

/* Find the node at this path ("" is the root), or NULL. */
struct expect_node *expect_find(struct expect *x, const char *path);

/*
 * An index of the entries of one directory, to look up most of them one after the other without
 * visiting nodes all over memory. Directories with more than EXPECT_INDEX_MAX entries get none
 * (slots is 0), and neither does a zeroed struct: lookups then use the hash table of the tree.
 */
enum { EXPECT_INDEX_MAX = 2048 };
struct expect_index {
	uint32_t slots;
	struct {
		uint32_t node, hash;
	} table[2 * EXPECT_INDEX_MAX];
};
void expect_index(const struct expect *x, const struct expect_node *d, struct expect_index *ret);

/* Find the node of this name in the directory d, whose index is given, or NULL. */
struct expect_node *expect_indexed(const struct expect *x, const struct expect_node *d,
	const struct expect_index *index, const char *name);

/*
 * Is there only a whiteout for this name in the directory d? In the directory of the layer itself,
 * which is not merged, that is a character device 0:0.
 */
bool expect_whiteout(const struct expect *x, const struct expect_node *d, const char *name);

/* Iterate over the nodes in d in no particular order: prev is NULL at first; NULL at the end. */
struct expect_node *expect_next(
	const struct expect *x, const struct expect_node *d, const struct expect_node *prev);

/* The name of the node in its directory; valid as long as the tree. */
const char *expect_name(const struct expect_node *n);

/* The layer that n comes from, 0 for the topmost: the first one with this path. */
unsigned expect_layer(const struct expect *x, const struct expect_node *n);

/* What is known about n. *ret owns no memory. */
void expect_meta(const struct expect *x, const struct expect_node *n, struct meta *ret);

/* A mark for the caller's use. Only the thread that walks the directory of n may set it. */
void expect_mark(struct expect_node *n);
bool expect_marked(const struct expect_node *n);

#endif
