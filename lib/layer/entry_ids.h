/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_ENTRY_IDS_H
#define LAYER_ENTRY_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "../idmap/idmap.h"
#include "entry.h"

/*
 * Call fn with each id that the attributes name, until it returns something else than 0, which is
 * then returned: users and groups of ACLs (linux/posix_acl_xattr.h), and the root of a file
 * capability (capabilities(7); of version 2 it is 0). what: "its access control list", "its file
 * capability".
 */
int ids_named(const struct xattrs *x,
	int (*fn)(bool group, uint32_t id, const char *what, void *arg), void *arg);

/* Does the map's disk side have the id? */
bool ids_cover(const struct idmap *m, bool group, uint32_t id);

/* The id of a kind that files can have for the time being: 0, or the map's first. */
uint32_t ids_anchor(const struct idmap *m, bool group);

/*
 * Are owner and named ids of an entry on the map's disk side? -EOVERFLOW with e filled: which is
 * not, and how it could be.
 */
int ids_check(const struct layer_entry *en, const struct idmap *m, struct err *e);

/*
 * Fill e for an id that the map does not cover. what: whose it is ("its file capability"), or NULL:
 * the owner's.
 */
int ids_refuse(const struct idmap *m, bool group, uint32_t id, const char *what, const char *on,
	struct err *e);

#endif
