/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_BASE_H
#define STORE_STORE_BASE_H

#include <stdint.h>

#include "../base/err.h"
#include "../idmap/idmap.h"
#include "store.h"

/*
 * A store with a base: an image's id I has the disk id base + I in it, for I below count; higher
 * ones are refused. Such disk ids belong to nobody, but a set-uid file gives them to whoever runs
 * it, and all layers belong to them. So others may traverse the store only on a mount that is
 * nosuid. The base is remembered in STORE/base ("BASE:COUNT"), written before the first layer, and
 * never changes.
 */
struct store_base {
	uint32_t base, count; /* count 0: none, disk ids are the image's */
};

enum { STORE_BASE_COUNT = 65536 };

/*
 * Parse BASE or BASE:COUNT (default 65536): -EINVAL, -ERANGE with e filled; base and count are at
 * least 1.
 */
int store_base_parse(const char *s, struct store_base *ret, struct err *e);

/* What the store has. */
const struct store_base *store_base(const struct store *s);

/*
 * From ids of images (its disk side) to disk ids of the layers (its seen side). Only for a store
 * with a base.
 */
int store_base_map(const struct store *s, struct idmap *ret, struct err *e);

/*
 * The other way round: what turns disk ids of the layers into ids of images. For a store without a
 * base the identity.
 */
int store_base_inverse(const struct store *s, struct idmap *ret, struct err *e);

/*
 * Open a layer's directory so that owners, ACLs and capabilities in it show the ids of the image:
 * of a store with a base through a detached ID-mapped mount, which needs CAP_SYS_ADMIN. The caller
 * closes *ret_fd (O_PATH).
 */
int store_base_open_layer(const struct store *s, const char *path, int *ret_fd, struct err *e);

#endif
