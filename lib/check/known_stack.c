/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* known_stack: the map and the image of a stack, by its record. */

#include "known_stack.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fd.h"
#include "../mount/image_source.h"
#include "../mount/overlay_options.h"
#include "../mount/record_store.h"

static bool is_mount_root(int fd, const char *root)
{
	struct statx stx;

	return !strcmp(root, "/") &&
		statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_TYPE,
			&stx) == 0 &&
		stx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

static int take_map(const struct mount_record *rec, struct known_stack *s, struct err *e)
{
	const struct idmap *map = mount_record_map(rec);

	if (rec->other_userns)
		s->why = "its record has ids of another user namespace";
	else if (!mount_record_is_uniform(rec))
		s->why = "its layers have different maps";
	else if (rec->map.wish == MAP_KEEP)
		s->why = "its layers were mounted with the maps of their sources";
	else if (map ? idmap_copy(map, &s->map, e) < 0 : idmap_identity(&s->map, e) < 0)
		return -ENOMEM;
	else
		s->has_map = true;
	return 0;
}

static int add_layer(const struct overlay_dir *dir, void *arg)
{
	struct known_stack *s = arg;

	return dir->kind == OVERLAY_LOWER ? strv_add(&s->layers, dir->path) : 0;
}

int known_stack_look(int fd, struct known_stack *ret, struct err *e)
{
	scoped_mount_info struct mount_info i = { .id = -1 };
	scoped_mount_record struct mount_record rec = { .mount = 0 };
	scoped_known_stack struct known_stack s = { .has_map = false };
	const char *image;

	if (mount_info_get(fd, &i, NULL) < 0 || strcmp(i.type, "overlay") != 0 ||
		!record_store_find(&i, NULL, &rec))
		return 0;
	if (take_map(&rec, &s, e) < 0)
		return -ENOMEM;
	image = image_source_name(i.source);
	s.at_root = is_mount_root(fd, i.root);
	s.image = image && *image ? strdup(image) : NULL;
	s.store = TAKE_PTR(rec.store);
	s.target = strdup(i.target ? i.target : "");
	if (!s.target || (image && *image && !s.image) ||
		overlay_dirs_each(i.options, add_layer, &s) < 0)
		return err_nomem(e);
	*ret = s;
	s = (struct known_stack){ .has_map = false };
	return 1;
}

void known_stack_done(struct known_stack *s)
{
	if (s->has_map)
		idmap_done(&s->map);
	free(s->image);
	free(s->target);
	free(s->store);
	strv_done(&s->layers);
	*s = (struct known_stack){ .has_map = false };
}
