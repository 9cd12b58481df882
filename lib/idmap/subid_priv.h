/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_SUBID_PRIV_H
#define IDMAP_SUBID_PRIV_H

#include "subid.h"

/* The lines of one user that are being collected. Private to lib/idmap. */
struct subid_reading {
	const char *file;
	const struct user *user;
	struct grants *ret;
	struct err *e;
	size_t ignored; /* lines of others that do not count */
};

/* Take a line of the file: for subid_each(), with a struct subid_reading. */
MUST_CHECK int subid_take_line(const struct subid_line *l, void *reading);

/* After the last line, with the result until now: -ENOENT if the user has no grant. */
MUST_CHECK int subid_finish(struct subid_reading *p, int r);

#endif
