/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_STAGING_H
#define STORE_STORE_STAGING_H

#include "../base/err.h"
#include "store.h"
#include <stddef.h>

/*
 * A directory of this process alone in the store's tmp/, in which everything is made before it is
 * renamed into place. Its lock ends with the process, and then whoever comes next sweeps it.
 */
struct store_staging;

/* Sweeps what dead processes left, then makes one. */
int store_staging_new(struct store *s, struct store_staging **ret, struct err *e);

/* Removes the directory and all that was not published. */
void store_staging_free(struct store_staging *st);

static inline void cleanup_store_staging(struct store_staging **st)
{
	store_staging_free(*st);
}

#define scoped_store_staging __attribute__((cleanup(cleanup_store_staging)))

/*
 * Where layers are made: stays the staging's. In a store with a base it is a view in which ids are
 * the image's.
 */
int store_staging_fd(const struct store_staging *st);

/*
 * The same directory with the ids of the disk: for what is ours and not an image's, and for
 * renaming.
 */
int store_staging_plain_fd(const struct store_staging *st);

/* Take an entry of dirfd (images/ or layers/) out at once, by renaming it here, and remove it. */
int store_staging_discard(struct store_staging *st, int dirfd, const char *name, struct err *e);

#endif
