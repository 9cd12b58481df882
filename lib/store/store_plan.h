/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_PLAN_H
#define STORE_STORE_PLAN_H

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../mount/plan.h"
#include "store.h"

/*
 * Adapt a plan that mounts layers of this store. It notes which layers/ directory the layers must
 * be found in. In a store with a base, the plan's map refers to ids of the image: it is changed to
 * refer to the disk ids of the layers. -ENODATA if the map covers no id of the image.
 */
MUST_CHECK int store_plan(struct mount_plan *p, const struct store *s, struct err *e);

#endif
