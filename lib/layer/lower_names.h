/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LOWER_NAMES_H
#define LAYER_LOWER_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "lowerdirs.h"

/* The names in a directory of the merged view of finished layers. */

struct lower_name {
	const char *name; /* in lower_names.text */
	size_t at;        /* its offset there */
	size_t layer;     /* index of the directory that has it, 0 is the topmost */
	bool dir, whiteout;
};

/* Zero-initialise. */
struct lower_names {
	struct buf text;
	VEC(struct lower_name) list; /* sorted by name */
};

void lower_names_done(struct lower_names *l);

#define scoped_names __attribute__((cleanup(lower_names_done)))

/*
 * List what the layers below show in the directory at path, as overlayfs would list it: no whiteout
 * and nothing that a whiteout hides. Returns 1 and *ret; 0 if there is no directory at path; or
 * -errno with e filled.
 */
MUST_CHECK int lower_walk_names(
	struct lower_walk *w, const char *path, struct lower_names *ret, struct err *e);

#endif
