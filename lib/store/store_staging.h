/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_STAGING_H
#define STORE_STORE_STAGING_H

#include "../base/cleanup.h"
#include "../base/err.h"
#include "store.h"

/*
 * A private directory in the store's tmp/ (tempdir.h), in which layers and images are made before
 * they are renamed into place.
 */
struct store_staging;

/*
 * Remove what killed processes left, then make a staging directory. Free it with
 * store_staging_free().
 */
MUST_CHECK int store_staging_new(struct store *s, struct store_staging **ret, struct err *e);

/* Remove the directory with everything that was not published. */
void store_staging_free(struct store_staging *st);

static inline void cleanup_store_staging(struct store_staging **st)
{
	store_staging_free(*st);
}

#define scoped_store_staging __attribute__((cleanup(cleanup_store_staging)))

/*
 * The directory in which layers are made; the descriptor belongs to the staging. In a store with a
 * base it is an ID-mapped view, in which files are created with the ids of the image.
 */
int store_staging_fd(const struct store_staging *st);

/*
 * The directory of store_staging_fd() with the ids of the disk: for the store's own files, and to
 * rename out of.
 */
int store_staging_plain_fd(const struct store_staging *st);

/* Rename dirfd/name (in images/ or layers/) into the staging directory, then remove it. */
MUST_CHECK int store_staging_discard(
	struct store_staging *st, int dirfd, const char *name, struct err *e);

#endif
