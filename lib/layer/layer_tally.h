/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_TALLY_H
#define LAYER_LAYER_TALLY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Warnings about many entries of a layer. Each entry is logged with --verbose; all entries with the
 * same kind of warning are reported by one warning with a count. It belongs to one thread at a
 * time. Zero-initialise.
 */
enum { LAYER_TALLY_KINDS = 16 };

struct layer_tally {
	struct layer_tally_kind {
		char *name, *first; /* of the attribute, or NULL; the first entry */
		const char *text;   /* what happened */
		uint64_t n;         /* entries */
		uint64_t last;      /* the number of the last entry that was counted */
	} kinds[LAYER_TALLY_KINDS];
	size_t len;
	uint64_t more;  /* warnings of kinds for which kinds has no room */
	uint64_t entry; /* number of the entry that is being read; 0: none */
};

/*
 * Count the entry on for the kind that name (may be NULL) and text make. text is not copied. An
 * entry that is being read counts once for each kind. A kind for which there is no room or no
 * memory is counted in more.
 */
void layer_tally_add(struct layer_tally *t, const char *on, const char *name, const char *text);

/* Log a warning for each kind, and forget all of them. */
void layer_tally_report(struct layer_tally *t);

#endif
