/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_MAP_LEX_H
#define IDMAP_MAP_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/vec.h"
#include "draft.h"

/* What the parser of maps is made of. Private to lib/idmap. */

/* A piece of a text, not terminated, and where it stands. */
struct word {
	const char *s;
	size_t len;
	struct word_place at;
};

struct parser {
	const struct idmap_context *ctx;
	struct draft draft;
	struct strv files; /* the names that places refer to */
	struct err *e;
};

static inline void cleanup_parser(struct parser *p)
{
	draft_done(&p->draft);
	strv_done(&p->files);
}

#define scoped_parser __attribute__((cleanup(cleanup_parser)))

bool word_is(const struct word *w, const char *s);
bool word_starts(const struct word *w, const char *s);

/* The word without its first n bytes. */
struct word word_from(struct word w, size_t n);

/* What stands before the next sep; *rest becomes what stands after it. more: there was one. */
struct word word_until(struct word *rest, char sep, bool *ret_more);

/* Split at each sep into at most max fields, the last of which keeps the rest. Returns how many. */
size_t word_split(struct word w, char sep, struct word *fields, size_t max);

/* The next of the columns that blanks and tabs set apart; empty when there is none. */
struct word word_column(struct word *line);

#define word_fault(e, num, w, ...) place_fault(e, num, (w)->at, (w)->s, (w)->len, __VA_ARGS__)

/* KIND_* for b, u, g, both, uid, gid; 0 for others. */
unsigned kind_of_word(const struct word *w);

/*
 * Add the range of three fields, numbers or names, to the kinds. whole: what to show when it is
 * refused as one.
 */
MUST_CHECK int add_fields(
	struct parser *p, unsigned kinds, struct word whole, const struct word f[static 3]);

/*
 * The entries that refer to something else (idmap_refs.c). w is the whole entry; each adds to the
 * draft.
 */
MUST_CHECK int parse_auto(struct parser *p, struct word w);
MUST_CHECK int parse_subid(struct parser *p, struct word w);
MUST_CHECK int parse_user(struct parser *p, struct word w);
MUST_CHECK int parse_owner(struct parser *p, struct word w);
MUST_CHECK int parse_pid(struct parser *p, struct word w);
MUST_CHECK int parse_fd(struct parser *p, struct word w);
MUST_CHECK int parse_path(struct parser *p, struct word w);
MUST_CHECK int parse_file(struct parser *p, struct word w);

#endif
