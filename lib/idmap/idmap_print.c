/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap_print: print a map in the map language, in words, and for the kernel. */

#include "idmap.h"

#include <inttypes.h>

static void print_kind(const struct idranges *r, char kind, struct buf *b)
{
	for (size_t i = 0; i < r->len; i++)
		buf_printf(b, "%s%c:%" PRIu32 ":%" PRIu32 ":%" PRIu32, i ? ";" : "", kind,
			r->items[i].disk, r->items[i].seen, r->items[i].count);
}

void idmap_print(const struct idmap *m, struct buf *b)
{
	if (idranges_equal(&m->uid, &m->gid)) {
		print_kind(&m->uid, 'b', b);
		return;
	}
	print_kind(&m->uid, 'u', b);
	buf_char(b, ';');
	print_kind(&m->gid, 'g', b);
}

static void words_range(const struct idrange *r, struct buf *b)
{
	if (r->count == 1)
		buf_printf(b, "disk %" PRIu32 " is seen as %" PRIu32, r->disk, r->seen);
	else
		buf_printf(b, "disk %" PRIu32 "-%" PRIu32 " is seen as %" PRIu32 "-%" PRIu32,
			r->disk, r->disk + (r->count - 1), r->seen, r->seen + (r->count - 1));
}

static void words_kind(const struct idranges *r, struct buf *b)
{
	if (idranges_identity(r)) {
		buf_str(b, "every id is seen as it is on disk");
		return;
	}
	for (size_t i = 0; i < r->len; i++) {
		buf_str(b, i ? ", " : "");
		words_range(&r->items[i], b);
	}
}

void idmap_print_words(const struct idmap *m, struct buf *b)
{
	if (idranges_equal(&m->uid, &m->gid)) {
		words_kind(&m->uid, b);
		return;
	}
	buf_str(b, "users: ");
	words_kind(&m->uid, b);
	buf_str(b, "; groups: ");
	words_kind(&m->gid, b);
}

void idranges_print_kernel(const struct idranges *r, struct buf *b)
{
	for (size_t i = 0; i < r->len; i++)
		buf_printf(b, "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", r->items[i].disk,
			r->items[i].seen, r->items[i].count);
}
