/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_PRUNE_H
#define STORE_STORE_PRUNE_H

#include "../base/err.h"
#include "store.h"
#include "store_layer.h"
#include <stdbool.h>

/*
 * The first part of store_prune(): take its lock, kept until that has ended or store_close(), and
 * look for mounted layers. Whoever enters a user namespace before it prunes does this before, since
 * from there the mounts of others cannot be seen.
 */
int store_prune_begin(struct store *s, struct err *e);

/*
 * Remove the layers that no image names and that are not mounted (as far as
 * mount_info_all_namespaces() sees), calling fn (may be NULL) with each, and what dead processes
 * left. Waits for those who use layers. With dry_run only fn is called. -EBUSY: an image's mount
 * does not tell its layers.
 */
int store_prune(struct store *s, bool dry_run, void (*fn)(const struct store_layer *l, void *arg),
	void *arg, struct err *e);

#endif
