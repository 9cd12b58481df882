/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_plan: adapt mount plans to stores with a base. */

#include "store_plan.h"

#include <errno.h>
#include <string.h>

#include "../base/log.h"
#include "../idmap/map_fit.h"
#include "store.h"
#include "store_base.h"
#include "store_layer.h"

/* A layer whose record cannot be read can be mounted all the same. */
static void add_ids(const struct store *s, const char *dir, struct id_use *ids)
{
	const char *slash = strrchr(dir, '/'), *name = slash ? slash + 1 : dir;
	struct store_layer l = { .ids_known = false };

	if (store_layer_read(s, name, &l, NULL) == 0 && l.ids_known) {
		id_spans_merge(&ids->uid, &l.ids.uid);
		id_spans_merge(&ids->gid, &l.ids.gid);
	} else {
		log_verbose("layer %s: which ids it has is not known, as an older version "
			    "unpacked it",
			name);
	}
	store_layer_done(&l);
}

int store_plan_fit(
	struct mount_plan *p, const struct store *s, const struct idmap *map, struct err *e)
{
	struct id_use ids = { .uid = { .len = 0 } };
	struct err misfit = ERR_INIT;

	for (size_t i = 0; i < p->layers.len; i++)
		add_ids(s, p->layers.items[i].dir, &ids);
	if (map_fit_ids(map, &ids, p->source, &misfit) == MAP_FITS)
		return 0;
	return mount_plan_add_misfit(p, &misfit, e);
}

int store_plan(struct mount_plan *p, const struct store *s, struct err *e)
{
	const struct store_base *b = store_base(s);
	scoped_idmap struct idmap image = { .gid_assumed = false };
	struct stat layers;
	int r = store_stat_layers(s, &layers, e);

	if (r < 0)
		return r;
	mount_plan_set_store(p, &layers);
	if (p->map.wish == MAP_SET)
		r = store_plan_fit(p, s, &p->map.map, e);
	if (r < 0 || !b->count)
		return r;
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
