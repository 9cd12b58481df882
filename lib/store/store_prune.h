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

/*
 * Remove the layers that no image lists and that are not mounted (store_mount_find_layers()), and
 * what killed processes left in tmp/ and layers/. Waits for processes that use layers. Calls fn,
 * unless it is NULL, for each removed layer; with dry_run nothing is removed, and fn is called for
 * each layer that would be. -EBUSY: the kernel does not show the layers of a mounted image.
 */
MUST_CHECK int store_prune(struct store *s, bool dry_run,
	void (*fn)(const struct store_layer *l, void *arg), void *arg, struct err *e);

#endif
