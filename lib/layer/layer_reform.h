/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_REFORM_H
#define LAYER_LAYER_REFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "layer.h"

/*
 * Layers that older versions unpacked have marks on opaque directories, which only one kind of
 * mount reads (layer_hide.h). A layer can be made again from its own directory, without its
 * archive.
 */

/* A finished layer. */
struct layer_finished {
	int fd; /* of its directory, O_PATH or O_RDONLY; borrowed */
	bool root_opaque;
};

/*
 * Make the layer again as dir, on the same mount: with directories of its own, without marks, and
 * with hard links to the other files. The caller goes on with layer_resolve_lower() and
 * layer_finish(), as after layer_apply(). Only what hides something is a dependency of the new
 * layer; the dependencies of the old one come before it. Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_reform(const struct layer_finished *old, const struct layer_dir *dir,
	const struct layer_options *opts, struct layer **ret, struct err *e);

#endif
