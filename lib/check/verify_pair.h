/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_VERIFY_PAIR_H
#define CHECK_VERIFY_PAIR_H

/* Shared by verify.c (directories) and verify_pair.c (one inode on both sides). */

#include <pthread.h>

#include "../base/progress.h"
#include "dirlist.h"
#include "expect.h"
#include "ids_real.h"
#include "verify.h"
#include "walk_dirs.h"

/* The state of one thread. */
struct verify_thread {
	char *scan; /* DIRLIST_BUFFER bytes */
	struct dirlist seen, disk;
	struct expect_index index; /* of the directory that is being checked */
	struct buf path;
	struct walk_dirs *dirs;
	struct verify_counts counts;
	int layer_fd; /* the directory that is being checked, in the layer that was used last */
	unsigned layer;
};

struct verify {
	const struct verify_options *o;
	int seen, disk; /* the roots; disk is -1 with x */
	struct expect *x;
	struct expect_node *at; /* the node of x for seen */
	const int *layers;
	struct ids_real real;
	uint64_t seen_mount, disk_mount;
	pthread_mutex_t lock; /* for reported, findings, o->found and o->mount */
	uint64_t reported;
	uint64_t findings[FINDING_CLASSES];
	struct verify_thread *threads;
	struct progress_item item;
};

/* Numbers of the trees for walk_dirs_open(); layer n is TREE_LAYERS + n. */
enum { TREE_SEEN, TREE_DISK, TREE_LAYERS };

/* A name in a directory that is being checked. */
struct verify_entry {
	struct verify *v;
	struct verify_thread *t;
	struct walk_worker *w;
	struct walk_dir *d;
	int seen, disk;   /* the directory on both sides; disk is -1 with an expected tree */
	bool same;        /* both sides are the same inode */
	const char *name; /* "": the directory itself (the root) */
	struct expect_node *node; /* in the expected tree */
};

enum pair_result {
	PAIR_DONE,
	PAIR_DESCEND,      /* both are directories, which are to be checked */
	PAIR_DESCEND_SAME, /* ... and the same inode */
	PAIR_SHUT,         /* the directory cannot be searched: skip its other names */
};

/* Compare the inode at p on both sides and report. Returns an enum pair_result, or -errno. */
MUST_CHECK int verify_pair_check(struct verify_entry *p, struct err *e);

/* Release the directory of p in the layer that was used last. */
void verify_pair_leave_layer(struct verify_entry *p);

/*
 * Report that name in the directory of p, or the directory itself (NULL), cannot be read. what is
 * like "cannot list the directory". Returns 0 or -ENOMEM.
 */
MUST_CHECK int verify_pair_unreadable(
	struct verify_entry *p, const char *name, int num, const char *what, struct err *e);

#endif
