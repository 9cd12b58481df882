/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_VIEW_WARNINGS_H
#define CMD_VIEW_WARNINGS_H

#include "../lib/base/vec.h"

/*
 * The warnings about the views of one line of the table. The views show one tree, so their warnings
 * differ in ids alone, and become a single warning. Zero-initialise.
 */
struct view_warnings {
	size_t views;
	char *target, *first; /* of the first view; NULL: out of memory */
};

/* Count a view that was mounted, if there are warnings about it. */
void view_warnings_add(struct view_warnings *w, const char *target, const struct strv *warnings);

/* Log the warning, and forget it. line: the target of the line */
void view_warnings_tell(struct view_warnings *w, const char *line);

void view_warnings_done(struct view_warnings *w);

#endif
