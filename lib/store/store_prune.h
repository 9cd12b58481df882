/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_PRUNE_H
#define STORE_STORE_PRUNE_H

#include <stdbool.h>

#include "../base/cleanup.h"
#include "../base/err.h"
#include "store.h"
#include "store_layer.h"

/*
 * The first part of store_prune(): acquire the exclusive lock on layers/, which is held until
 * store_prune() returns or store_close(), and find the mounted layers. A caller that will enter a
 * user namespace must call this before: from inside it cannot see the mounts of other processes.
 */
MUST_CHECK int store_prune_begin(struct store *s, struct err *e);

struct store_pruning {
	bool dry_run;            /* remove nothing, but call removed */
	const struct strv *only; /* names below layers/; NULL: all layers */
	void (*removed)(const struct store_layer *l, void *arg); /* may be NULL */
	void (*mounted)(
		const char *dir, void *arg); /* a layer that stays since it is mounted; or NULL */
	void *arg;
};

/*
 * Remove the layers that no image lists and that are not mounted (store_mount_find_layers()), and
 * what killed processes left in tmp/ and layers/. Waits for processes that use layers. -EBUSY: the
 * kernel does not show the layers of a mounted image.
 */
MUST_CHECK int store_prune(struct store *s, const struct store_pruning *p, struct err *e);

#endif
