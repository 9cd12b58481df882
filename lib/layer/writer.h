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
 * Makes files that are born with their owner: the thread takes the owner's ids as its file-system
 * ids (setfsuid(2)) for the call that creates. Everything happens in the open directory of the
 * parent, never through a link. Directories are made plain (0700: a set-gid bit or a default ACL
 * would be inherited) and get their attributes in writer_dir_finish(), when their children are
 * there.
 *
 * With the option dry nothing is written: nodes are only marked as made.
 */
enum { WRITER_SLOTS = 128, JUMP_LEVELS = 16 };

struct writer {
	struct layer_tree *tree;
	const struct layer_options *o;
	int parentfd;      /* borrowed */
	char *name;        /* of the root in it */
	int root;          /* O_PATH */
	uint32_t uid, gid; /* the thread's file-system ids now */
	uint32_t home_uid, home_gid;
	bool entered;
	bool unproven;  /* no file of this owner was seen on disk yet */
	unsigned temps; /* temporary names used */
	struct {
		struct node *dir;
		int fd;
		uint64_t used;
	} slots[WRITER_SLOTS];
	uint64_t clock;
};

/* name: copied. Makes nothing yet. */
int writer_init(struct writer *w, struct layer_tree *tree, int parentfd, const char *name,
	const struct layer_options *o, struct err *e);
void writer_done(struct writer *w);

/* Around each use on a thread: remember its file-system ids, and give them back. */
void writer_enter(struct writer *w);
void writer_leave(struct writer *w);

/* Make the layer's root directory, owned by the node's uid and gid. */
int writer_root(struct writer *w, struct err *e);

/*
 * The open directory (O_PATH), which stays the writer's: good until the next call of a writer
 * function.
 */
int writer_dir(struct writer *w, struct node *dir, int *ret_fd, struct err *e);

/*
 * Create the node's object with its owner and mode. xattrs, which go on last but for the times, may
 * be NULL. Sets NODE_MADE.
 */
int writer_mkdir(struct writer *w, struct node *n, struct err *e);
int writer_symlink(struct writer *w, struct node *n, const struct xattrs *x, struct err *e);
int writer_special(
	struct writer *w, struct node *n, const struct xattrs *x, struct err *e); /* device, fifo */
int writer_link(struct writer *w, struct node *n, struct writer *of, struct node *target,
	struct err *e); /* of: the target's writer */
int writer_whiteout(struct writer *w, struct node *n, struct err *e);

/* A regular file in three steps; *fd is closed by the last (or by the caller, after an error). */
int writer_file_begin(struct writer *w, struct node *n, int *ret_fd, struct err *e);
int writer_file_data(
	int fd, const void *p, size_t n, uint64_t off, const struct node *node, struct err *e);
int writer_file_end(struct writer *w, struct node *n, int *fd, uint64_t written,
	const struct xattrs *x, struct err *e);

/* Remove what is on disk of this name, with everything below it. */
int writer_remove(struct writer *w, struct node *n, struct err *e);

/*
 * Make a directory anew if it was born with another owner than it should have; its children move
 * along.
 */
int writer_dir_own(struct writer *w, struct node *n, struct err *e);

/* Attributes, opaque mark, mode and times of a directory. */
int writer_dir_finish(struct writer *w, struct node *n, struct err *e);

/* Fill e for a failure on a node: returns -num. num 0: without an errno's text. */
int node_err(const struct node *n, int num, struct err *e, const char *what);

#endif
