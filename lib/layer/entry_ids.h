/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_ENTRY_IDS_H
#define LAYER_ENTRY_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "../idmap/idmap.h"
#include "entry.h"

/*
 * Receives an id that an attribute names. what is "its access control list" or "its file
 * capability". Returns 0 to continue.
 */
typedef int entry_ids_receive(bool group, uint32_t id, const char *what, void *arg);

/*
 * Call fn with each id that the attributes name: the users and groups of ACLs, and the root of a
 * file capability (capabilities(7); 0 for version 2). Stops at the first result that is not 0, and
 * returns it.
 */
MUST_CHECK int entry_ids_each(const struct xattrs *x, entry_ids_receive *fn, void *arg);

/* Does the map's disk side contain the id? */
bool entry_ids_covered(const struct idmap *m, bool group, uint32_t id);

/* A provisional owner that the map covers: 0 if possible, else the map's first disk id. */
uint32_t entry_ids_anchor(const struct idmap *m, bool group);

/*
 * Check that the map's disk side contains the owner of the entry and all ids that its attributes
 * name. Returns 0, or -EOVERFLOW with e filled (entry_ids_refuse()).
 */
MUST_CHECK int entry_ids_check(const struct layer_entry *en, const struct idmap *m, struct err *e);

/*
 * Fill e for an id that the map does not cover, with an extent that would cover it. what says what
 * names the id ("its file capability"); NULL: it is the owner. on is the entry. Returns -EOVERFLOW.
 */
MUST_CHECK int entry_ids_refuse(const struct idmap *m, bool group, uint32_t id, const char *what,
	const char *on, struct err *e);

#endif
