/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_VERIFY_H
#define CHECK_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"
#include "../idmap/idmap.h"
#include "compare.h"

struct expect;
struct expect_node;
struct progress;

/* Entries that vanished during the check and mounts that were not entered are not findings. */
struct verify_counts {
	uint64_t entries, vanished, mounts;
	uint64_t findings[FINDING_CLASSES];
};

struct verify_options {
	const struct idmap *map; /* from disk ids to seen ids */
	unsigned doubt;          /* enum verify_doubt */
	unsigned threads;        /* 0: one per processor */
	unsigned classes;        /* a bit (1 << class) for each class to report; 0: all */
	uint64_t max_findings;   /* stop after this many; 0: no limit */
	/*
	 * Called for each finding, in no particular order, by one thread at a time. f is valid
	 * during the call. May be NULL.
	 */
	void (*found)(const struct finding *f, void *arg);
	/*
	 * Called, under the same rules, for each mount below seen, which is not entered; path is
	 * relative to the root of the check. May be NULL.
	 */
	void (*mount)(const char *path, void *arg);
	void *arg;
	struct expect_node *at;    /* verify_expect(): the node for seen; NULL: expect_root() */
	struct progress *progress; /* gets one item that counts the entries; may be NULL */
	const char *name;          /* the name of that item */
};

/*
 * Compare each inode below seen (what the caller sees) with the inode of the same path below disk
 * (the same tree without a map). Both are O_PATH descriptors; if they are not directories, they are
 * the only inodes. No link is followed and no mount is entered. A directory that is the same inode
 * on both sides is listed once. Memory use: the directories that are still to be visited, and per
 * thread the names in one directory. Returns 0 with the counts in *ret, whatever was found, or
 * -errno.
 */
MUST_CHECK int verify_trees(int seen, int disk, const struct verify_options *o,
	struct verify_counts *ret, struct err *e);

/*
 * Compare each inode below seen with the expected tree x. layers: O_PATH descriptors of the
 * directories to which the layers of x were unpacked, topmost first, from which ACLs and
 * capabilities are read; NULL: these are not compared. Returns 0 with the counts in *ret, whatever
 * was found, or -errno.
 */
MUST_CHECK int verify_expect(int seen, struct expect *x, const int *layers,
	const struct verify_options *o, struct verify_counts *ret, struct err *e);

/* The number of findings of all classes. */
uint64_t verify_total(const struct verify_counts *c);

/* Add the counts of entries and findings of one to all. */
void verify_counts_add(struct verify_counts *all, const struct verify_counts *one);

#endif
