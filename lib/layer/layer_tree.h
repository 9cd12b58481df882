/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_TREE_H
#define LAYER_LAYER_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/keyed_hash.h"
#include "xattr.h"

/*
 * The contents of one layer by name: a node for each path that occurs in the layer. Nodes and
 * strings are allocated from the tree's arena and live until layer_tree_done(); removing a node
 * does not free it.
 */
enum node_flags {
	NODE_LISTED = 1,   /* the layer has an entry for it; a directory without one is a parent */
	NODE_MADE = 2,     /* it exists on disk */
	NODE_WHITEOUT = 4, /* the layer has ".wh.NAME": it hides what is below */
	NODE_OPAQUE = 8,   /* the directory has ".wh..wh..opq" */
	NODE_PENDING = 16, /* a hard link to node.link in a lower layer, not created yet */
	NODE_SKIPPED = 32, /* an entry that cannot be created here and was skipped */
	NODE_HIDES = 64,   /* a directory that replaced another object: hides like NODE_WHITEOUT */
	NODE_ASKED = 128,  /* resolved: NODE_BELOW is known */
	NODE_BELOW = 256,  /* a lower layer has a directory here, and its content is visible */
	NODE_GHOSTS = 512, /* contains whiteouts in their xattr form (overlayfs: opaque "x") */
	NODE_COVERED = 1024, /* resolved: an ancestor hides what is below */
	NODE_BARE = 2048,    /* resolved: no lower layer has a directory here, as the dependencies
	                        say */
	NODE_CAPABLE = 4096, /* a file with a capability */
	NODE_LATE = 8192,    /* a directory with entries before the one that lists it */
	NODE_RELINK = 16384, /* a hard link to a node of the layer; layer.later has it if unsure */
	NODE_THERE = 32768,  /* resolved: a lower layer has the directory, which is created when
	                        something in it is */
};

struct node {
	struct node *parent, *children, *next, *prev; /* siblings are not sorted */
	struct node *chain;                           /* next in the hash bucket */
	struct xattrs *xattrs; /* of a directory, until its children are created; or NULL */
	const char *link; /* target of a symbolic link; with NODE_PENDING, a path in lower layers */
	int64_t sec;
	union {
		uint64_t size; /* of a regular file, in bytes */
		struct {
			uint32_t born_uid, born_gid;
		}; /* of a directory: the owner it was created with */
		uint64_t rdev; /* of a device */
	};
	uint32_t nsec, uid, gid;
	uint32_t seq; /* the number of its entry in the layer, from 1; of a directory: of the first
	                 entry that lists it */
	uint32_t hash;
	mode_t mode;  /* with the file type; 0 if there is only a whiteout */
	int16_t slot; /* in the writer's cache of descriptors, or -1 */
	uint16_t flags;
	uint8_t len; /* of name */
	char name[];
};

struct layer_tree {
	struct node *root;  /* a directory with an empty name */
	struct node *aside; /* a second root, of what is not at its path (layer_aside.h); or NULL */
	struct node **buckets;
	size_t n, mask; /* number of nodes but the root; number of buckets - 1 */
	struct arena *arena;
	struct hash_key key;
};

/* Returns 0, -ENOMEM or -EIO (no random bytes). */
MUST_CHECK int layer_tree_init(struct layer_tree *t);
void layer_tree_done(struct layer_tree *t);

/* Find a child by its name. Returns NULL if there is none. */
struct node *layer_tree_find(
	const struct layer_tree *t, const struct node *parent, const char *name, size_t len);

/*
 * Find the node of a path without leading, trailing or double slashes ("" is the root). Returns
 * NULL if there is none.
 */
struct node *layer_tree_look_up(const struct layer_tree *t, const char *path);

/*
 * Does the layer hide what lower layers have at the path? Only whiteouts and opaque directories
 * count, not an object of the layer at that path.
 */
bool layer_tree_hides(const struct layer_tree *t, const char *path);

/* Add a child with mode 0 and no flags. len: 1 to 255. Returns NULL when out of memory. */
struct node *layer_tree_add(
	struct layer_tree *t, struct node *parent, const char *name, size_t len);

/* Make the second root, t->aside, and return it. Returns NULL when out of memory. */
struct node *layer_tree_add_aside(struct layer_tree *t);

/*
 * Move the content and the children of n to a new node of that name below parent, in the same tree.
 * n stays, with mode 0, no flags and no children. Returns the new node, or NULL when out of memory.
 */
struct node *layer_tree_move(struct layer_tree *t, struct node *n, struct node *parent);

/* Remove a node that has no children. */
void layer_tree_remove(struct layer_tree *t, struct node *n);

/*
 * Move a node with everything below it to a parent in another tree, which must have no child of
 * that name. The old tree keeps its memory until layer_tree_absorb().
 */
void layer_tree_graft(
	struct layer_tree *to, struct node *parent, struct layer_tree *from, struct node *n);

/*
 * Sort the children of a directory by name, so that a layer always results in the same text.
 * Returns 0 or -ENOMEM.
 */
MUST_CHECK int layer_tree_sort(struct node *dir);

/* Hand the memory of "from" over to "to", and leave "from" as after layer_tree_done(). */
void layer_tree_absorb(struct layer_tree *to, struct layer_tree *from);

/* Copy len bytes of s into the arena, with a NUL. Returns NULL when out of memory. */
const char *layer_tree_string(struct layer_tree *t, const char *s, size_t len);

/* A removed node has this seq. */
#define NODE_SEQ_GONE UINT32_MAX

/* Does the layer have an object of this name, now or after layer_resolve_lower()? */
static inline bool node_exists(const struct node *n)
{
	return n->mode != 0 || n->flags & (NODE_PENDING | NODE_SKIPPED);
}

static inline bool node_is_dir(const struct node *n)
{
	return (n->mode & 0170000) == 0040000;
}

/* Make n a hard link to file: copy the attributes of the inode. */
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

/* Give a directory that the layer does not list its provisional attributes: 0:0, mode 0755. */
static inline void node_imply_dir(struct node *n)
{
	n->mode = 0040755;
	n->uid = n->gid = 0;
	n->sec = n->nsec = 0;
}

/* Is it a directory that exists on disk? */
static inline bool node_is_made_dir(const struct node *n)
{
	return node_is_dir(n) && n->flags & NODE_MADE;
}

/* Does the node hide everything that lower layers have at its path? */
static inline bool node_hides(const struct node *n)
{
	return n->flags & (NODE_OPAQUE | NODE_WHITEOUT | NODE_HIDES);
}

/*
 * Depth-first traversal of top and everything below it, in constant stack: parents first with
 * layer_tree_next(), beginning with top; children first with the other two. NULL is the end.
 */
struct node *layer_tree_next(const struct node *top, struct node *n);
struct node *layer_tree_first_up(struct node *top);
struct node *layer_tree_next_up(const struct node *top, struct node *n);

/* Append the path of the node, without a leading slash; "" is the root. */
void node_path(const struct node *n, struct buf *ret);

/* Fill e for a failure on the node: what failed, and the errno num, or 0. Returns -num. */
int node_err(const struct node *n, int num, struct err *e, const char *what);

#endif
