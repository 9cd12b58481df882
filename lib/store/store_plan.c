/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_plan: adapt mount plans to stores with a base. */

#include "store_plan.h"

#include <errno.h>

#include "../base/log.h"
#include "store.h"
#include "store_base.h"

int store_plan(struct mount_plan *p, const struct store *s, struct err *e)
{
	const struct store_base *b = store_base(s);
	scoped_idmap struct idmap image = { .gid_assumed = false };
	struct stat layers;
	int r = store_stat_layers(s, &layers, e);

	if (r < 0)
		return r;
	mount_plan_set_store(p, &layers);
	if (!b->count)
		return 0;
	if (p->map.wish != MAP_NONE)
		log_verbose("the store has the base %u:%u: the map is put on top of that", b->base,
			b->count);
	r = store_base_inverse(s, &image, e);
	if (r == 0)
		r = mount_plan_rebase(p, &image, e);
	if (r == -ENODATA)
		err_why(e,
			"the store has a base: the disk ids of the map are those of the image, 0 "
			"to %u (owner:USER refers to the disk ids instead)",
			b->count - 1);
	return r;
}
