/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_SHIFT_CHECK_HELD_H
#define CMD_SHIFT_CHECK_HELD_H

#include "../lib/base/out.h"
#include "../lib/base/vec.h"
#include "../lib/check/compare.h"

/*
 * Findings of verify that are held back, so that those with one cause become one line, and only the
 * first ones are printed. Start with { .out = out }.
 */
struct held_findings {
	struct out *out;
	VEC(struct held_group {
		enum finding_class class;
		char *detail;
		struct strv paths; /* of the first findings */
		uint64_t count;
	})
	groups;
	uint64_t total;
	uint64_t shifted; /* mismatches whose ids are all off by the same number ... */
	int64_t shift;    /* ... this one; 0: they are not */
	uint64_t mismatches;
};

/* Hold a finding; root: the path of its mount. */
void held_add(struct held_findings *h, const char *root, const struct finding *f);

/*
 * Print the findings, at most 20 lines, and how many more there are. root: the path of the check.
 * given: the map that was expected, or NULL.
 */
void held_print(const struct held_findings *h, const char *root, const struct idmap *given);

void held_done(struct held_findings *h);

#endif
