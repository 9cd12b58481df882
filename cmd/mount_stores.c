/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount-idmapped: make plans, with the layers of images from their stores. */

#include "mount_idmapped.h"

#include <errno.h>
#include <string.h>

#include "../lib/mount/image_source.h"
#include "../lib/mount/plan_mstack.h"
#include "../lib/store/store_image.h"
#include "../lib/store/store_plan.h"

void mount_stores_done(struct mount_stores *s)
{
	for (size_t i = 0; i < s->open.len; i++) {
		free(s->open.items[i].path);
		store_close(s->open.items[i].store);
	}
	VEC_DONE(&s->open);
}

static int stores_get(struct mount_stores *s, const char *path, struct store **ret, struct err *e)
{
	scoped_store struct store *store = NULL;
	struct mount_store opened;
	int r;

	for (size_t i = 0; i < s->open.len; i++) {
		if (!strcmp(s->open.items[i].path, path ? path : "")) {
			*ret = s->open.items[i].store;
			return 0;
		}
	}
	r = store_open(path, 0, &store, e);
	if (r < 0)
		return r;
	opened = (struct mount_store){ strdup(path ? path : ""), store };
	if (!opened.path || VEC_ADD(&s->open, opened) < 0) {
		free(opened.path);
		return err_nomem(e);
	}
	*ret = TAKE_PTR(store);
	return 0;
}

int mount_plan_words(const struct mount_args *a, struct mount_request q,
	struct mount_stores *stores, struct mount_plan *ret, struct err *e)
{
	scoped_strv struct strv layers = { 0 };
	const char *image = image_source_name(q.source);
	struct store *store = NULL;
	int r = 0;

	if (image) {
		if (!*image)
			return err_usage_try(e,
				"write image:NAME; shiftbox image-unpack --list shows the names",
				"the name of the image is missing: image:NAME");
		r = stores_get(stores, q.options->store ? q.options->store : a->store, &store, e);
		if (r == 0)
			r = store_image_layers(store, image, &layers, NULL, e);
		if (r == -ENOENT)
			err_op(e, "image");
	}
	q.layers = store ? &layers : NULL;
	q.strict = a->strict;
	if (r == 0)
		r = plan_mstack_is_meant(&q) ? plan_mstack(ret, &q, e) :
					       mount_plan_build(ret, &q, e);
	return r == 0 && store ? store_plan(ret, store, e) : r;
}
