/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_BASE_H
#define STORE_STORE_BASE_H

#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../idmap/idmap.h"
#include "store.h"

/*
 * In a store with a base, id I of an image is stored as disk id base + I, for I below count;
 * greater ids are refused. These disk ids should belong to no user. All layers of the store belong
 * to them, and a set-uid file would give them to every user who runs it: therefore other users may
 * traverse the store only on a nosuid mount. The base is written to STORE/base ("BASE:COUNT")
 * before the first layer, and never changes.
 */
struct store_base {
	uint32_t base, count; /* count 0: no base, disk ids are the image's ids */
};

enum { STORE_BASE_COUNT = 65536 };

/*
 * Parse BASE or BASE:COUNT (default: STORE_BASE_COUNT). Both are at least 1, and all ids are valid.
 * -EINVAL or -ERANGE, as usage errors.
 */
MUST_CHECK int store_base_parse(const char *s, struct store_base *ret, struct err *e);

/* The base that the store has; belongs to the store. */
const struct store_base *store_base(const struct store *s);

/*
 * The map from ids of images (disk side) to disk ids of layers (seen side). Only for a store with a
 * base. Free it with idmap_done().
 */
MUST_CHECK int store_base_map(const struct store *s, struct idmap *ret, struct err *e);

/* The inverse of store_base_map(); the identity for a store without a base. */
MUST_CHECK int store_base_inverse(const struct store *s, struct idmap *ret, struct err *e);

/*
 * Open a layer's directory, by its path as of store_image_layers(), so that owners, ACLs and
 * capabilities in it appear with the ids of the image. In a store with a base this makes a detached
 * ID-mapped mount, which requires CAP_SYS_ADMIN. The caller closes *ret_fd (O_PATH).
 */
MUST_CHECK int store_base_open_layer(
	const struct store *s, const char *path, int *ret_fd, struct err *e);

#endif
