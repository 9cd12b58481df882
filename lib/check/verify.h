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

/*
 * What has been looked at; entries that vanished meanwhile, and mounts that were not entered, are
 * no findings.
 */
struct verify_counts {
	uint64_t entries, vanished, mounts;
	uint64_t findings[FINDING_CLASSES];
};

struct verify_options {
	const struct idmap *map; /* disk ids to seen ids */
	unsigned threads;        /* 0: one a processor */
	unsigned classes;        /* a bit (1 << class) for each that is wanted; 0: all */
	uint64_t max_findings;   /* end after so many; 0: no limit */
	/*
	 * Called for each, by one thread at a time, in no order. f is valid during the call. May be
	 * NULL.
	 */
	void (*found)(const struct finding *f, void *arg);
	/*
	 * Likewise for each mount below seen, which is not entered: path is as in a finding. May be
	 * NULL.
	 */
	void (*mount)(const char *path, void *arg);
	void *arg;
	struct expect_node *at; /* verify_expect(): what seen should be; NULL: expect_root() */
	struct progress
		*progress; /* one item, of this name, whose entries are counted; may be NULL */
	const char *name;
};

/*
 * Compare each inode below seen (what the caller sees) with the same path below disk (the raw
 * side). Both are O_PATH descriptors of directories, or of anything else, which is then the only
 * inode. No link is followed, no mount entered; entries are paired by name. Directories that are
 * the same inode on both sides are listed once. Memory: the directories still to come, and the
 * names of one directory a thread.
 */
int verify_trees(int seen, int disk, const struct verify_options *o, struct verify_counts *ret,
	struct err *e);

/*
 * Compare with what should be there. layers: O_PATH descriptors of the directories that the layers
 * of x were unpacked to, topmost first, where ACLs and capabilities are read; NULL: these are not
 * compared.
 */
int verify_expect(int seen, struct expect *x, const int *layers, const struct verify_options *o,
	struct verify_counts *ret, struct err *e);

uint64_t verify_total(const struct verify_counts *c);

#endif
