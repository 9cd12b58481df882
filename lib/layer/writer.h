/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_WRITER_H
#define LAYER_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "layer.h"
#include "layer_tree.h"

/*
 * Creates files with their owners, without chown(2): the thread sets its filesystem ids
 * (setfsuid(2)) to the owner for the call that creates the file. Files are created in the open
 * directory of their parent, never through a symbolic link. Directories are created with mode 0700,
 * since a set-gid bit or a default ACL would be inherited, and get their attributes from
 * writer_dir_finish(), when they have their children.
 *
 * With the option dry, nothing is written and nodes are only marked as made.
 */
enum { WRITER_SLOTS = 128, JUMP_LEVELS = 16 };

struct writer {
	struct layer_tree *tree;
	const struct layer_options *o;
	int parentfd;                /* borrowed */
	char *name;                  /* of the layer's root in parentfd */
	int root;                    /* O_PATH */
	int aside;                   /* O_PATH, of the tree's second root, beside the first */
	uint32_t uid, gid;           /* current filesystem ids of the thread */
	uint32_t home_uid, home_gid; /* filesystem ids before writer_enter() */
	bool entered;
	bool unproven;  /* no file with these ids was verified yet */
	unsigned temps; /* temporary names used */
	struct {
		struct node *dir;
		int fd;
		uint64_t used;
	} slots[WRITER_SLOTS];
	uint64_t clock;
};

/* Initialise w without creating anything. dir->name is copied. Returns 0 or -ENOMEM. */
MUST_CHECK int writer_init(struct writer *w, struct layer_tree *tree, const struct layer_dir *dir,
	const struct layer_options *o, struct err *e);
void writer_done(struct writer *w);

/* Save and restore the filesystem ids of the thread, around each use of the writer on it. */
void writer_enter(struct writer *w);
void writer_leave(struct writer *w);

/* The functions below return 0 or -errno with e filled, which names the path. */

/* Create the layer's root directory, owned by the uid and gid of its node. */
MUST_CHECK int writer_root(struct writer *w, struct err *e);

/*
 * Create the directory of the tree's second root beside that of the layer, or remove it with its
 * content.
 */
MUST_CHECK int writer_aside(struct writer *w, struct err *e);
MUST_CHECK int writer_remove_aside(struct writer *w, struct err *e);

/* Open a directory (O_PATH). w owns the descriptor, which is valid until its next function call. */
MUST_CHECK int writer_dir(struct writer *w, struct node *dir, int *ret_fd, struct err *e);

/*
 * Create the object of the node, with owner and mode, and set NODE_MADE. xattrs (may be NULL) are
 * set after that, and then the times.
 */
MUST_CHECK int writer_mkdir(struct writer *w, struct node *n, struct err *e);
MUST_CHECK int writer_symlink(
	struct writer *w, struct node *n, const struct xattrs *x, struct err *e);
MUST_CHECK int writer_special(
	struct writer *w, struct node *n, const struct xattrs *x, struct err *e); /* device, FIFO */
MUST_CHECK int writer_whiteout(struct writer *w, struct node *n, struct err *e);

/* Create a hard link to target, which belongs to the writer of. */
MUST_CHECK int writer_link(
	struct writer *w, struct node *n, struct writer *of, struct node *target, struct err *e);

/*
 * Create a regular file in three steps. The last one closes *fd; after an error the caller does.
 * written is the end of the data, in bytes; the rest up to the node's size is a hole.
 */
MUST_CHECK int writer_file_begin(struct writer *w, struct node *n, int *ret_fd, struct err *e);
MUST_CHECK int writer_file_data(
	int fd, const void *p, size_t n, uint64_t off, const struct node *node, struct err *e);
MUST_CHECK int writer_file_end(struct writer *w, struct node *n, int *fd, uint64_t written,
	const struct xattrs *x, struct err *e);

/*
 * Move the object of the node from, which belongs to the writer of, to the place of n, with
 * everything below it, and set NODE_MADE. That place must be free.
 */
MUST_CHECK int writer_move(
	struct writer *w, struct node *n, struct writer *of, struct node *from, struct err *e);

/* Remove the object of the node from disk, with everything below it. */
MUST_CHECK int writer_remove(struct writer *w, struct node *n, struct err *e);

#endif
