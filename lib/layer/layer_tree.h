/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_TREE_H
#define LAYER_LAYER_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "xattr.h"

/*
 * What one layer holds, by name: a node for each path that the layer speaks of. Nodes and strings
 * live in the tree's arena until layer_tree_free(); a removed node is only forgotten.
 */
enum node_flags {
	NODE_LISTED = 1, /* the layer has an entry for it; a directory without is a parent that was
	                    needed */
	NODE_MADE = 2,   /* it exists on disk */
	NODE_WHITEOUT = 4, /* ".wh.NAME" stands in the layer: nothing below shines through */
	NODE_OPAQUE = 8,   /* ".wh..wh..opq" stands in this directory */
	NODE_PENDING = 16, /* a hard link to link in a layer below, not made yet */
	NODE_SKIPPED = 32, /* an entry that cannot be made here and was left out with a warning */
	NODE_HIDES =
		64, /* a directory that came after something else of this name: as NODE_WHITEOUT */
	NODE_ASKED = 128,    /* settled: NODE_BELOW is known */
	NODE_BELOW = 256,    /* a layer below has a directory of this path, and its content shines
	                        through */
	NODE_GHOSTS = 512,   /* holds whiteouts in their xattr form (overlayfs: opaque "x") */
	NODE_COVERED = 1024, /* settled: something above it hides what is below it */
	NODE_BARE = 2048, /* settled: no layer below has a directory of this path, and the answers
	                     say so */
	NODE_CAPABLE = 4096, /* a file with a capability */
};

struct node {
	struct node *parent, *children, *next, *prev; /* siblings in no order */
	struct node *chain;                           /* next in the bucket */
	struct xattrs *xattrs; /* a directory's, kept until its children are there; or NULL */
	const char *link;      /* a symlink's target; the path in the layers below while PENDING */
	int64_t sec;
	union {
		uint64_t size; /* of a regular file */
		struct {
			uint32_t born_uid, born_gid;
		}; /* of a directory: how it was made */
		uint64_t rdev; /* of a device */
	};
	uint32_t nsec, uid, gid;
	uint32_t hash;
	mode_t mode;  /* with its type; 0 when there is nothing but a whiteout */
	int16_t slot; /* in the writer's cache of descriptors; -1 for none */
	uint16_t flags;
	uint8_t len; /* of name */
	char name[];
};

struct layer_tree {
	struct node *root; /* a directory with an empty name */
	struct node **buckets;
	size_t n, mask; /* nodes, buckets - 1 */
	struct arena *arena;
	uint64_t key[2];
};

int layer_tree_init(struct layer_tree *t);
void layer_tree_done(struct layer_tree *t);

/* The child of that name, or NULL. */
struct node *layer_tree_find(
	const struct layer_tree *t, const struct node *parent, const char *name, size_t len);

/* A new child with mode 0 and no flags. len: 1 to 255. NULL when memory runs out. */
struct node *layer_tree_add(
	struct layer_tree *t, struct node *parent, const char *name, size_t len);

/* Forget a node that has no children. */
void layer_tree_remove(struct layer_tree *t, struct node *n);

/*
 * Move a node, with all below it, under a parent in another tree, which has no child of that name.
 * Its memory stays the old tree's until layer_tree_absorb() takes that over.
 */
void layer_tree_graft(
	struct layer_tree *to, struct node *parent, struct layer_tree *from, struct node *n);

/* All of from's memory becomes to's; from is left empty, as after layer_tree_done(). */
void layer_tree_absorb(struct layer_tree *to, struct layer_tree *from);

/* A copy of s in the arena, or NULL. */
const char *layer_tree_string(struct layer_tree *t, const char *s, size_t len);

/* Does the layer itself have something of this name (made now, or once it is settled)? */
static inline bool node_exists(const struct node *n)
{
	return n->mode != 0 || n->flags & (NODE_PENDING | NODE_SKIPPED);
}

static inline bool node_is_dir(const struct node *n)
{
	return (n->mode & 0170000) == 0040000;
}

/* n is another name of the same file. */
static inline void node_take_after(struct node *n, const struct node *file)
{
	n->mode = file->mode;
	n->uid = file->uid;
	n->gid = file->gid;
	n->sec = file->sec;
	n->nsec = file->nsec;
	n->size = file->size;
	n->link = file->link;
	n->flags |= file->flags & NODE_CAPABLE;
}

/* A directory that is on disk, not only noted as a parent. */
static inline bool node_is_made_dir(const struct node *n)
{
	return node_is_dir(n) && n->flags & NODE_MADE;
}

/* Does nothing of the layers below shine through the node? */
static inline bool node_hides(const struct node *n)
{
	return n->flags & (NODE_OPAQUE | NODE_WHITEOUT | NODE_HIDES);
}

/*
 * Depth-first in constant stack: parents before children, and children before parents. NULL at the
 * end.
 */
struct node *layer_tree_next(const struct node *top, struct node *n);
struct node *layer_tree_first_up(struct node *top);
struct node *layer_tree_next_up(const struct node *top, struct node *n);

/* The path without a leading slash, "" for the root, appended. */
void node_path(const struct node *n, struct buf *ret);

#endif
