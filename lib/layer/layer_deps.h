/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_DEPS_H
#define LAYER_LAYER_DEPS_H

#include <stdbool.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "layer.h"
#include "lower_names.h"
#include "lowerdirs.h"

/*
 * Dependencies: the facts about lower layers, and the options, on which the content of an unpacked
 * layer depends. The facts are kept as text, one on a line, which is stored beside the layer in
 * NAME.lower. Two stacks in which all facts are the same may share the unpacked layer.
 */

/* The longest text, in bytes; layer_resolve_lower() refuses a layer with more dependencies. */
enum { LAYER_DEPS_MAX = 64 << 20 };

enum layer_dep {
	LAYER_DEP_DIR,     /* whether the path is a directory */
	LAYER_DEP_META,    /* the attributes of the directory; or where the symbolic link leads */
	LAYER_DEP_FILE,    /* the attributes and content of the target of a hard link */
	LAYER_DEP_LINK,    /* whether the path is a symbolic link, and where that leads */
	LAYER_DEP_HIDES,   /* the names that the layer hides in the directory, or overwrites */
	LAYER_DEP_CAPS,    /* what happens to capabilities of version 3 */
	LAYER_DEP_DEVICES, /* whether devices are skipped */
	LAYER_DEP_IDS,     /* the available ids, and what happens to others */
};

/*
 * Append the line of a fact (LAYER_DEP_DIR to LAYER_DEP_LINK). hit is what was found at the path,
 * or NULL. Returns 0 or -errno with e filled (-EFBIG: the text is longer than LAYER_DEPS_MAX).
 */
MUST_CHECK int layer_deps_add(struct lower_walk *w, enum layer_dep kind, const char *path,
	const struct lower_hit *hit, struct buf *ret, struct err *e);

/*
 * Append the line of LAYER_DEP_HIDES for a directory of the layer that shows nothing of those
 * below: names is what they have there, NULL if it is not a directory below. For the root ("")
 * names is ignored, since no layer below such a root is part of the image. Returns as
 * layer_deps_add() does.
 */
MUST_CHECK int layer_deps_add_hidden(
	const char *path, const struct lower_names *names, struct buf *ret, struct err *e);

/* Append all dependencies of the layer, "" if there are none. Returns 0 or -ENOMEM with e filled.
 */
MUST_CHECK int layer_deps(const struct layer *l, struct buf *ret, struct err *e);

/*
 * Append the lines about options (LAYER_DEP_CAPS to LAYER_DEP_IDS) and the other lines. Returns 0
 * or -errno with e filled (-EBADMSG: deps is not in a known form).
 */
MUST_CHECK int layer_deps_split(
	const char *deps, struct buf *ret_options, struct buf *ret_facts, struct err *e);

/*
 * Would a layer with these dependencies have the same content on top of the layers of w? Returns 0
 * and *ret, or -errno with e filled (-EBADMSG: deps is not in a known form).
 */
MUST_CHECK int layer_deps_hold(const char *deps, struct lower_walk *w, bool *ret, struct err *e);

#endif
