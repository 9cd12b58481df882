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

/*
 * Do the files of the plan's layers have ids that the map, which refers to ids of the image, does
 * not cover? Add that to the plan's misfits. store_plan() does so for the plan's own map. The ids
 * were recorded when a layer was unpacked; older layers are skipped. Returns 0 or -errno.
 */
MUST_CHECK int store_plan_fit(
	struct mount_plan *p, const struct store *s, const struct idmap *map, struct err *e);

#endif
