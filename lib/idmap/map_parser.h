/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_MAP_PARSER_H
#define IDMAP_MAP_PARSER_H

#include <stdbool.h>

#include "../base/vec.h"
#include "draft.h"
#include "map_lex.h"

/* The parser of maps: idmap_parse() splits the text into entries. Private to lib/idmap. */
struct map_parser {
	const struct idmap_context *ctx;
	struct draft draft;
	struct strv files; /* the file names that places refer to */
	unsigned rest;     /* the kinds with the entry "rest", as a mask */
	struct word_place rest_at;
	struct err *e;
};

static inline void cleanup_map_parser(struct map_parser *p)
{
	draft_done(&p->draft);
	strv_done(&p->files);
}

#define scoped_map_parser __attribute__((cleanup(cleanup_map_parser)))

/* KIND_* for b, u, g, both, uid, gid; 0 for other words. */
unsigned map_kind(const struct word *w);

/* Parse an id: a number, or the name of a user or group (kind). what: "DISK", for messages. */
MUST_CHECK int map_parse_id(
	const struct word *w, const char *what, unsigned kind, uint64_t *ret, struct err *e);

/* Parse a number of ids. Limits are checked when the range is added (draft_add()). */
MUST_CHECK int map_parse_count(const struct word *w, uint64_t *ret, struct err *e);

/* Add the range with the fields DISK, SEEN and COUNT. whole: the entry, for messages. */
MUST_CHECK int map_add_fields(
	struct map_parser *p, unsigned kinds, struct word whole, const struct word f[static 3]);

/*
 * Are the three fields also USER:START:COUNT, a line of subuid(5), of a user by name? It was
 * probably copied from there.
 */
bool map_is_grant(const struct map_parser *p, const struct word f[static 3]);

/*
 * After all entries: for the kinds with the entry "rest", add each id as itself that no entry names
 * as a disk id or a seen id, and that exists in this user namespace.
 */
MUST_CHECK int map_add_rest(struct map_parser *p);

/*
 * The entries that refer to users, namespaces or files (idmap_refs.c). w is the whole entry, which
 * begins with the name or character of its form. Each adds ranges to the draft.
 */
MUST_CHECK int map_parse_auto(struct map_parser *p, struct word w);
MUST_CHECK int map_parse_subid(struct map_parser *p, struct word w);
MUST_CHECK int map_parse_user(struct map_parser *p, struct word w);
MUST_CHECK int map_parse_keep_id(struct map_parser *p, struct word w);
MUST_CHECK int map_parse_owner(struct map_parser *p, struct word w);
MUST_CHECK int map_parse_pid(struct map_parser *p, struct word w);
MUST_CHECK int map_parse_fd(struct map_parser *p, struct word w);
MUST_CHECK int map_parse_path(struct map_parser *p, struct word w);
MUST_CHECK int map_parse_file(struct map_parser *p, struct word w);

#endif
