/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_PUBLISH_H
#define STORE_STORE_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/id_spans.h"
#include "../tar/digest.h"
#include "store.h"
#include "store_staging.h"

/*
 * A complete layer in the staging directory, as tempdir_entry(i) with its specification, and
 * perhaps with its tar-split (tar/tar_split.h).
 */
struct staged_layer {
	size_t i;
	struct digest diff_id;
	const char *deps; /* of layer_deps(); "" if it depends on no lower layer */
	uint64_t entries, bytes;
	uint64_t tar_size; /* of the archive, in bytes; 0: not known */
	bool root_opaque;
	const struct id_use *ids; /* of its files; NULL: not known */
	char *dir; /* set by store_publish(): the name below layers/; the caller frees it */
};

struct staged_image {
	const char *name;
	const struct buf *manifest, *config;
	/* Appends the dirs of the stack, topmost first; called when all layers have theirs. */
	int (*list)(void *arg, struct strv *ret, struct err *e);
	void *arg;
};

/*
 * Write everything to disk (if sync), then rename the n layers into place, then the image, which
 * replaces an image of that name in one step. If another process has published the same layer
 * meanwhile, that one is used. A crash at any moment leaves complete layers, and the old image or
 * the new one.
 */
MUST_CHECK int store_publish(struct store_staging *st, struct staged_layer *layers, size_t n,
	const struct staged_image *image, bool sync, struct err *e);

#endif
