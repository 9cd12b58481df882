/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_MTREE_TEXT_H
#define TAR_MTREE_TEXT_H

/* The lines of a specification. mtree.c alone uses this; its callers see entries. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "mtree.h"

/*
 * libarchive does not distinguish an id that is missing from id 0, and so on. An entry without one
 * of these keywords, on its own line or in an earlier "/set", therefore gets a value that no real
 * entry has. libarchive reports the type as a warning.
 */
#define MTREE_NO_ID "4294967295"
#define MTREE_NO_MODE 04000000
#define MTREE_NO_SIZE INT64_MAX
#define MTREE_NO_TYPE "\"unset\""

enum { MTREE_KEYS = 8, MTREE_PART_SIZE = 32 << 10 /* approximate, in bytes */ };

/*
 * The state of a specification that is being read. Initialise all members but f, name and want to
 * zero; the caller keeps ownership of f and name.
 */
struct mtree_text {
	FILE *f;
	const char *name; /* for messages */
	enum mtree_want want;
	char *line;
	size_t cap;
	uint64_t size;      /* bytes read of the file */
	bool comment_first; /* the file begins with a comment, as every program writes it */
	bool continued; /* the last line ended with a backslash; libarchive joins it with the next
	                   one */
	enum mtree_line {
		LINE_OTHER,
		LINE_COMMENT,
		LINE_SET,
		LINE_UNSET,
		LINE_ENTRY
	} kind;                      /* kind of the last line */
	unsigned given;              /* LINE_ENTRY, LINE_SET: a bit for each keyword on the line */
	unsigned named;              /* a bit for each id that the line gives by name */
	bool ended;                  /* the end of the file was reached */
	struct strv dirs;            /* directory of relative names: its components, as written */
	char *entry;                 /* LINE_ENTRY: a name without a slash, or NULL */
	bool entry_is_dir;           /* entry is a directory */
	struct buf sets[MTREE_KEYS]; /* keywords set by "/set" lines: "uid=0", or empty */
	struct buf plain;            /* the line with its escapes rewritten */
	struct err err;
};

/*
 * Replace *ret with the next part of the file, a complete specification that libarchive can read.
 * Its first *ret_drop entries only set the current directory; skip them. Returns 1, 0 at the end of
 * the file, or -errno with t->err filled.
 */
MUST_CHECK int mtree_text_part(struct mtree_text *t, struct buf *ret, size_t *ret_drop);

void mtree_text_done(struct mtree_text *t);

#endif
