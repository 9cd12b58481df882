/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EXPLAIN_EXPLAIN_POINT_H
#define EXPLAIN_EXPLAIN_POINT_H

#include "explain.h"

/*
 * Points: what is unknown about the facts of an explanation. Each point has options, and
 * explain_point_set() sets the facts as they are with one of them. For explain_answer.c, which
 * combines the options of all points.
 */

enum { EXPLAIN_MOUNTER_IDS = 8, EXPLAIN_OPTIONS_MAX = 128 };

/* Ids that the mounter of an overlay may have: any user with any group. Root is the first. */
struct explain_mounters {
	uint32_t uid[EXPLAIN_MOUNTER_IDS], gid[EXPLAIN_MOUNTER_IDS];
	unsigned n_uid, n_gid;
};

enum explain_point_kind {
	POINT_IDS,
	POINT_ABOVE,
	POINT_MERGED,
	POINT_STORE,
	POINT_FS,
	POINT_UPPER,
	POINT_MOUNTER
};

/* Something that is unknown, and what it may be. */
struct explain_point {
	enum explain_point_kind kind;
	size_t at; /* the inode, mount or stack */
	unsigned char options[EXPLAIN_OPTIONS_MAX];
	unsigned n;
	struct explain_mounters mounters; /* with POINT_MOUNTER */
};

/* Set the facts of x to the option (a value of p->options). */
void explain_point_set(struct explanation *x, const struct explain_point *p, unsigned option);

/*
 * Write to ret what an id may be, the worst case first, and return how many options that are: the
 * bits of enum explain_be as 0, 1 and 2, or a 3 alone for an id that is known.
 */
unsigned explain_point_options(const struct explain_may *may, unsigned char ret[static 3]);

/* Is an id of the inode unknown? */
bool explain_point_ids_unknown(const struct explain_inode *n);

/* Set both ids of an inode: option is that of the uid * 4 + that of the gid. */
void explain_point_set_ids(struct explain_inode *n, unsigned option);

/* Is it unknown which ids the mount can store? A map that is hidden, in part at least, may have
 * more lines. */
bool explain_point_store_unknown(const struct explain_mount *m);

/*
 * Add to m the ids that the overlay's mounter may have, as far as they matter for the inode. The
 * mounter is assumed to have all capabilities: without, it could not mount, or the overlay would be
 * of little use. Where capabilities have no effect, the ids decide: those of root, of a user
 * without any relation to the inode, or any to which the inode grants something.
 */
void explain_point_find_mounters(const struct explain_inode *n, struct explain_mounters *m);

/* Return the number of pairs of a user and a group, at most EXPLAIN_OPTIONS_MAX / 2. */
unsigned explain_point_mounters(const struct explain_mounters *m);

/*
 * Set the mounter of a stack: an option i below n = explain_point_mounters() is the i-th pair of
 * ids, in the initial user namespace; option n + i is the same pair in the caller's own one.
 */
void explain_point_set_mounter(
	struct explanation *x, size_t stack, const struct explain_mounters *m, unsigned option);

#endif
