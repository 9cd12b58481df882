/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_VERIFY_PAIR_H
#define CHECK_VERIFY_PAIR_H

/* Between verify.c (directories) and verify_pair.c (one inode of each side). */

#include <pthread.h>

#include "../base/progress.h"
#include "dirlist.h"
#include "expect.h"
#include "verify.h"
#include "walk_dirs.h"

/* What each thread has for itself. */
struct verify_thread {
	char *scan; /* DIRLIST_BUFFER bytes */
	struct dirlist seen, disk;
	struct expect_index index; /* of this directory */
	struct buf path;
	struct walk_dirs *dirs;
	struct verify_counts counts;
	int layer_fd; /* this directory in the layer that was asked last */
	unsigned layer;
};

struct verify {
	const struct verify_options *o;
	int seen, disk; /* roots; disk is -1 with x */
	struct expect *x;
	struct expect_node *at; /* of x: what seen should be */
	const int *layers;
	uint64_t seen_mount, disk_mount;
	pthread_mutex_t lock; /* of what follows, and of o->found */
	uint64_t reported;
	uint64_t findings[FINDING_CLASSES];
	struct verify_thread *threads;
	struct progress_item item;
};

/* What tells the trees of a walk apart; a layer's number is added to the last one. */
enum { TREE_SEEN, TREE_DISK, TREE_LAYERS };

/* A name in a directory that is being looked at. */
struct verify_entry {
	struct verify *v;
	struct verify_thread *t;
	struct walk_worker *w;
	struct walk_dir *d;
	int seen, disk;   /* the directory on both sides; disk is -1 with an expected tree */
	bool same;        /* it is one directory, seen in two ways */
	const char *name; /* "": the directory itself (the root) */
	struct expect_node *node; /* with an expected tree */
};

enum pair_result {
	PAIR_DONE,
	PAIR_DESCEND, /* both are directories; the same inode: PAIR_DESCEND_SAME */
	PAIR_DESCEND_SAME,
	PAIR_SHUT, /* the directory cannot be searched: the rest of its names need not be tried */
};

/* Look at the inode at p, report what is wrong with it. Returns enum pair_result or -errno. */
int verify_pair_check(struct verify_entry *p, struct err *e);

/* The directory of p, looked up in the layer that was asked last, is not needed any more. */
void verify_pair_leave_layer(struct verify_entry *p);

/*
 * Report that something cannot be read. what: "cannot list the directory". name NULL: the
 * directory.
 */
int verify_pair_unreadable(
	struct verify_entry *p, const char *name, int num, const char *what, struct err *e);

#endif
