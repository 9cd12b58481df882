/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_PUBLISH_H
#define STORE_STORE_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../tar/digest.h"
#include "store.h"
#include "store_staging.h"

/* A layer that is complete in directory i, with its specification in "i.mtree". */
struct staged_layer {
	size_t i;
	struct digest diff_id;
	const char *deps; /* of layer_deps(); "" when it asked nothing */
	uint64_t entries, bytes;
	bool root_opaque;
	char *dir; /* set by store_publish(): its name below layers/; the caller frees it */
};

struct staged_image {
	const char *name;
	const struct buf *manifest, *config;
	/* The dirs of the stack, topmost first; asked for when the layers have theirs. */
	int (*list)(void *arg, struct strv *ret, struct err *e);
	void *arg;
};

/*
 * Write everything to disk (with sync), then rename the layers into place and then the image, which
 * replaces one of that name at once. A layer that another process has published meanwhile is taken
 * from there. A crash at any moment leaves whole layers and the image as it was, or as it is now.
 */
int store_publish(struct store_staging *st, struct staged_layer *layers, size_t n,
	const struct staged_image *image, bool sync, struct err *e);

#endif
