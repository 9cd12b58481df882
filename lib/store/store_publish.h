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

/*
 * A directory of this process alone in the store's tmp/, in which everything is made before it is
 * renamed into place. Its lock ends with the process, and then whoever comes next sweeps it.
 */
struct staging;

/* Sweeps what dead processes left, then makes one. */
int staging_new(struct store *s, struct staging **ret, struct err *e);

/* Removes the directory and all that was not published. */
void staging_free(struct staging *st);

static inline void cleanup_staging(struct staging **st)
{
	staging_free(*st);
}

#define scoped_staging __attribute__((cleanup(cleanup_staging)))

/*
 * Where layers are made: stays the staging's. In a store with a base it is a view in which ids are
 * the image's.
 */
int staging_fd(const struct staging *st);

/*
 * The same directory with the ids of the disk: for what is ours and not an image's, and for
 * renaming.
 */
int staging_plain_fd(const struct staging *st);

/* The name of file or directory number i in it ("7", "7.mtree"), into buf, returned. */
const char *staging_name(size_t i, const char *suffix, char buf[static 32]);

/* A layer that is complete in directory i, with its specification in "i.mtree". */
struct staged_layer {
	size_t i;
	struct digest diff_id;
	const char *answers; /* of layer_deps(); "" when it asked nothing */
	uint64_t entries, bytes;
	bool root_opaque;
	char *dir; /* set by staging_publish(): its name below layers/; the caller frees it */
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
int staging_publish(struct staging *st, struct staged_layer *layers, size_t n,
	const struct staged_image *image, bool sync, struct err *e);

/* Remove directories of dead processes. Those that cannot be removed are named in a warning. */
int staging_sweep(struct store *s, struct err *e);

/* Take an entry of dirfd (images/ or layers/) out at once, by renaming it here, and remove it. */
int staging_discard(struct staging *st, int dirfd, const char *name, struct err *e);

#endif
