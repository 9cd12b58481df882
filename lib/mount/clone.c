/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clone: detached clones of mounts, mapped before anybody sees them. */

#include "clone.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../base/log.h"
#include "../base/path.h"
#include "../base/sys.h"
#include "../idmap/userns.h"
#include "clone_cache.h"
#include "info.h"
#include "mount_attr.h"
#include "mount_verify.h"
#include "probe.h"

const char *map_done_name(enum map_done done)
{
	static const char *const names[] = {
		[MAP_PLAIN] = "none",
		[MAP_KEPT] = "kept",
		[MAP_MADE] = "made",
		[MAP_REPLACED] = "replaced",
		[MAP_DROPPED] = "dropped",
	};

	return names[done];
}

int clone_open_source(const char *path, int *ret_fd, struct err *e)
{
	return path_open(path, O_PATH, "cannot open the source", NULL, ret_fd, e);
}

int clone_plain(int fd, const char *name, int *ret_fd, struct err *e)
{
	*ret_fd = sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (*ret_fd >= 0)
		return 0;
	(void)err_set(e, errno, name, "cannot clone the mount");
	err_op(e, "open_tree");
	probe_clone(fd, e);
	return e ? -e->num : -EINVAL;
}

/* many: this is one of many clones. */
static int copy_once(int fd, const char *name, const struct mount_flags *flags, bool many,
	int *ret_fd, struct err *e)
{
	/* What is to be shared with the source, or follow it, must be a clone of itself. */
	if (many && flags->propagation & (MS_PRIVATE | MS_UNBINDABLE)) {
		*ret_fd = clone_cache_clone(fd);
		if (*ret_fd >= 0)
			return 0;
	}
	return clone_plain(fd, name, ret_fd, e);
}

/*
 * A clone with another map than its source has, or none (userns -1): open_tree_attr(2), Linux 6.15.
 * mount_setattr(2) refuses to touch a map that is there.
 */
static int clone_remapped(int fd, const char *name, const struct mount_flags *flags, int userns,
	int *ret_fd, struct err *e)
{
	struct mount_attr attr = mount_attr_of(flags, userns);
	int r;

	if (userns < 0)
		attr.attr_clr |= MOUNT_ATTR_IDMAP;
	*ret_fd = sys_open_tree_attr(
		fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH, &attr);
	if (*ret_fd >= 0)
		return 0;
	r = -errno;
	(void)err_set(
		e, -r, name, "cannot %s the map of this mount", userns < 0 ? "drop" : "replace");
	err_op(e, "open_tree_attr");
	if (r == -ENOSYS) {
		err_why(e, "it is ID-mapped already, and changing that needs Linux 6.15 or newer");
		err_try(e, "name the directory by a path that is not under an ID-mapped mount");
	} else {
		probe_idmap(fd, userns, flags, e);
	}
	return r;
}

static void say_map(const char *name, enum map_done done)
{
	const char *said = done == MAP_KEPT ?
		"is ID-mapped already: its map is kept" :
		done == MAP_REPLACED ?
		"is ID-mapped already: its map is replaced, not composed with" :
		done == MAP_DROPPED ? "is ID-mapped: its map is dropped" :
				      NULL;

	if (said)
		log_verbose("'%s' %s", name, said);
}

/* Without a map to give: a plain clone, or one freed of its source's map. */
static int clone_without_map(int fd, const char *name, const struct mount_info *info, bool drop,
	const struct mount_flags *flags, bool many, int *ret_fd, enum map_done *done, struct err *e)
{
	scoped_fd int tree = -1;
	int r;

	*done = !info->mapped ? MAP_PLAIN : drop ? MAP_DROPPED : MAP_KEPT;
	if (*done == MAP_DROPPED)
		return clone_remapped(fd, name, flags, -1, ret_fd, e);

	r = copy_once(fd, name, flags, many, &tree, e);
	if (r < 0)
		return r;
	r = mount_attr_set(tree, flags, -1);
	if (r < 0) {
		(void)err_set(e, -r, name, "cannot set the flags of the mount");
		err_op(e, "mount_setattr");
		probe_flags(fd, flags, e);
		return r;
	}
	*ret_fd = TAKE_FD(tree);
	return 0;
}

static int map_failed(int r, int source, const char *name, int userns,
	const struct mount_flags *flags, struct err *e)
{
	(void)err_set(e, -r, name, "cannot set the ID mapping");
	err_op(e, "mount_setattr");
	probe_idmap(source, userns, flags, e);
	return r;
}

int clone_set_map(int tree, int source, const char *name, const struct idmap *map,
	const struct mount_flags *flags, struct err *e)
{
	scoped_mount_info struct mount_info info = { .id = -1 };
	int userns, r;

	r = userns_get(map, &userns, e);
	if (r < 0)
		return r;
	r = mount_attr_set(tree, flags, userns);
	if (r == -EINVAL && mount_info_get(tree, &info, NULL) == 0) {
		(void)err_set(e, EINVAL, name, "cannot set the ID mapping");
		err_op(e, "mount_setattr");
		err_why(e, "the mount is attached already, and only a detached one can be mapped");
		return r;
	}
	return r < 0 ? map_failed(r, source, name, userns, flags, e) : 0;
}

/* With a map: on a mount that has none in one mount_setattr(2), else by replacing. */
static int clone_with_map(int fd, const char *name, const struct idmap *map,
	const struct mount_flags *flags, bool many, int *ret_fd, enum map_done *done, struct err *e)
{
	scoped_mount_info struct mount_info info = { .id = -1 };
	int userns, r;

	/* First: who may not clone is not to be told of maps. */
	r = copy_once(fd, name, flags, many, ret_fd, e);
	if (r == 0)
		r = userns_get(map, &userns, e);
	if (r < 0)
		return r;

	r = mount_attr_set(*ret_fd, flags, userns);
	if (r == 0) {
		*done = MAP_MADE;
		return verify_owner(*ret_fd, fd, NULL, map, name, e);
	}
	if (r != -EPERM || mount_info_get(fd, &info, NULL) < 0 || !info.mapped)
		return map_failed(r, fd, name, userns, flags, e);

	cleanup_fd(ret_fd);
	*ret_fd = -1;
	r = clone_remapped(fd, name, flags, userns, ret_fd, e);
	if (r < 0)
		return r;
	*done = MAP_REPLACED;
	return info.map_known ? verify_owner(*ret_fd, fd, &info.map, map, name, e) : 0;
}

int clone_mapped(int fd, const char *name, const struct mount_map *map,
	const struct mount_flags *flags, struct mount_snapshot *before, int *ret_fd,
	enum map_done *ret_done, struct err *e)
{
	scoped_mount_info struct mount_info info = { .id = -1 };
	scoped_fd int tree = -1;
	int r;

	if (map->wish == MAP_SET) {
		r = clone_with_map(fd, name, &map->map, flags, before != NULL, &tree, ret_done, e);
	} else {
		r = before ? mount_info_look(fd, before, &info, e) : mount_info_get(fd, &info, e);
		if (r < 0) {
			err_prefix(e, "'%s'", name);
			if (r == -ENOENT)
				err_why(e, "it is on a mount of another mount namespace");
			return r;
		}
		r = clone_without_map(fd, name, &info, map->wish == MAP_NONE, flags, before != NULL,
			&tree, ret_done, e);
	}
	if (r < 0)
		return r;

	say_map(name, *ret_done);
	*ret_fd = TAKE_FD(tree);
	return 0;
}
