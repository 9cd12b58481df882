/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_UPGRADE_H
#define IMAGE_UPGRADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "../store/store.h"

/* How to upgrade an image, and what was done. */
struct image_upgrade {
	bool dry_run;    /* count only */
	bool sync;       /* wait until the new layers are on disk before they are published */
	bool user_xattr; /* the caller is in a user namespace */

	size_t layers, changed;    /* of the image; those that have marks */
	uint64_t marks, whiteouts; /* marks that were found; whiteouts that were written for them */
	struct strv replaced;      /* names of the layers that the image no longer lists */
};

/*
 * Replace those layers of an image that have opaque marks, which not every kind of mount reads
 * (layer/layer_hide.h), by layers with whiteouts: made beside the old ones, whose files they share
 * as hard links. The image lists them after one rename(2); the old layers stay. The caller holds
 * the exclusive lock on layers/ (store_prune_begin()), has called layer_process_prepare(), and
 * frees u->replaced. Returns 0 or -errno with e filled; the image is then as before.
 */
MUST_CHECK int image_upgrade(
	struct store *s, const char *name, struct image_upgrade *u, struct err *e);

#endif
