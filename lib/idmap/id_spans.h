/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_ID_SPANS_H
#define IDMAP_ID_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "idmap.h"

/*
 * The ids that the files of a tree use, in a bounded number of spans. Adding an id allocates
 * nothing. Zero-initialise.
 */
enum { ID_SPANS_MAX = 32 };

struct id_span {
	uint32_t first, last; /* both are ids that are used */
	bool holes;           /* not each id between them is */
};

struct id_spans {
	struct id_span items[ID_SPANS_MAX + 1]; /* ascending, neither overlapping nor adjacent */
	size_t len;                             /* at most ID_SPANS_MAX */
	size_t hit;                             /* the span of the last id */
};

/* The users and groups of a tree. */
struct id_use {
	struct id_spans uid, gid;
};

/*
 * Add an id. If there would be too many spans, the two with the narrowest gap between them become
 * one with holes.
 */
void id_spans_add(struct id_spans *s, uint32_t id);

/* Add the ids of other. */
void id_spans_merge(struct id_spans *s, const struct id_spans *other);

/* Append the spans in words of digits: "0-5 33 1000~70000", where ~ means a span with holes. */
void id_spans_print(const struct id_spans *s, struct buf *b);

/* Read what id_spans_print() wrote. -EINVAL, without filling ret, if it is not of this form. */
MUST_CHECK int id_spans_parse(const char *text, struct id_spans *ret);

/*
 * Find ids that are used and that are not on the disk side of the ranges. Of a span with holes,
 * only the ends are known to be used. Stores up to max spans in ret, and returns how many there
 * are.
 */
size_t id_spans_outside(
	const struct id_spans *s, const struct idranges *disk, struct id_span *ret, size_t max);

#endif
