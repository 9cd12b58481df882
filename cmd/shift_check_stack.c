/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check verify: what is known about a stack that mount-idmapped made. */

#include "shift_check_stack.h"

#include <errno.h>
#include <string.h>

#include "../lib/base/log.h"
#include "../lib/store/store_base.h"

int check_stack_missing(const struct known_stack *k, const char *path, struct err *e)
{
	if (!k->target) {
		(void)err_say(e, EINVAL, path, "is on an overlay, whose layers may have maps");
		err_try(e, "specify the image with --image NAME and the map with -m MAP");
	} else if (k->image) {
		(void)err_say(e, EINVAL, path,
			"is in a stack of the image '%s': only the whole stack can be compared "
			"with that",
			k->image);
		err_try(e, "shiftbox shift-check verify %s", k->target);
	} else {
		(void)err_say(e, EINVAL, path,
			"is on a stack of directories: there is nothing to compare it with");
		err_try(e, "specify the other side with --source DIR or --spec FILE");
	}
	return -EINVAL;
}

/*
 * The record has the disk ids of the layers. If the store has a base, an image has other ids, which
 * a map of the caller's is about, too.
 */
int check_stack_map(const struct known_stack *k, const struct store *store, bool given,
	struct idmap *ret, struct err *e)
{
	scoped_idmap struct idmap stored = { .gid_assumed = false };
	int r;

	if (!k->has_map || (store && store_base(store)->count && given))
		return 0;
	log_verbose("the map of the stack is that of its record");
	if (!store || !store_base(store)->count)
		return idmap_copy(&k->map, ret, e) < 0 ? -ENOMEM : 1;
	r = store_base_map(store, &stored, e);
	if (r == 0)
		r = idmap_compose(&stored, &k->map, ret, e);
	return r < 0 ? r : 1;
}

/* The name of a layer as an overlay shows it, "/sha256-..." or "sha256-..."; else NULL. */
static const char *layer_name(const char *path)
{
	path += *path == '/';
	return strncmp(path, "sha256-", strlen("sha256-")) ? NULL : path;
}

int check_stack_layers(
	const struct known_stack *k, const char *image, const struct strv *layers, struct err *e)
{
	for (size_t i = 0; i < layers->len && i < k->layers.len; i++) {
		const char *there = layer_name(k->layers.items[i]),
			   *slash = strrchr(layers->items[i], '/');

		if (!there || !strcmp(there, slash ? slash + 1 : layers->items[i]))
			continue;
		(void)err_say(e, ESTALE, image,
			"has other layers in the store than those that are mounted");
		err_why(e,
			"the image was replaced since, or the stack was mounted from another "
			"store");
		err_try(e, "mount it again, or specify the store with --store");
		return -ESTALE;
	}
	return 0;
}
