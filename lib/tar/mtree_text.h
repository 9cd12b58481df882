/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_MTREE_TEXT_H
#define TAR_MTREE_TEXT_H

/* Between spec.c (entries) and mtree_text.c (lines). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "mtree.h"

/*
 * libarchive does not tell an id of 0 from one that is not given, and so on. A line that does not
 * give one of these, as no "/set" before it does, gets a value that no entry can have. The type's
 * is one that libarchive warns of.
 */
#define MTREE_NO_ID "4294967295"
#define MTREE_NO_MODE 04000000
#define MTREE_NO_SIZE INT64_MAX
#define MTREE_NO_TYPE "\"unset\""

enum { MTREE_KEYS = 8, MTREE_PART_SIZE = 32 << 10 /* about */ };

/*
 * A specification that is being read. Zero-initialise but for f, name and want; f and name stay the
 * caller's.
 */
struct mtree_text {
	FILE *f;
	const char *name; /* for messages */
	enum mtree_want want;
	char *line;
	size_t cap;
	uint64_t size;  /* bytes read of the file */
	bool continued; /* the line before ended with a backslash (and is one line with this one to
	                   libarchive) */
	enum mtree_line {
		LINE_OTHER,
		LINE_COMMENT,
		LINE_SET,
		LINE_UNSET,
		LINE_ENTRY
	} kind;                      /* ... and was of this kind */
	unsigned given;              /* LINE_ENTRY, LINE_SET: a bit for each key that it gives, */
	unsigned named;              /* ... and for each id that it gives by name */
	bool ended;                  /* the file has */
	struct strv dirs;            /* the directory that relative names are in, as written */
	char *entry;                 /* LINE_ENTRY: such a name, */
	bool entry_is_dir;           /* which is a directory's */
	struct buf sets[MTREE_KEYS]; /* what "/set" lines say: "uid=0", or nothing */
	struct buf plain;            /* the line, rewritten */
	struct err err;
};

/*
 * Replace *ret by the next part of the file: a specification of its own, that libarchive reads. The
 * first *ret_drop of its entries are not the file's. Returns 1, 0 when there is no more, or -errno
 * with t->err filled.
 */
int mtree_text_part(struct mtree_text *t, struct buf *ret, size_t *ret_drop);

void mtree_text_done(struct mtree_text *t);

#endif
