/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clone: detached clones of mounts, mapped before another process can see them. */

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
#include "internal_fs.h"
#include "mount_attr.h"
#include "mount_verify.h"
#include "probe.h"

const char *map_change_name(enum map_change change)
{
	static const char *const names[] = {
		[MAP_PLAIN] = "none",
		[MAP_KEPT] = "kept",
		[MAP_MADE] = "made",
		[MAP_REPLACED] = "replaced",
		[MAP_DROPPED] = "dropped",
	};

	return names[change];
}

int clone_open_source(const char *path, int *ret_fd, struct err *e)
{
	return path_open(path, O_PATH, "cannot open the source", NULL, ret_fd, e);
}

int clone_plain(int fd, const char *name, bool maps, int *ret_fd, struct err *e)
{
	int r;

	*ret_fd = sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (*ret_fd >= 0)
		return 0;
	r = err_set(e, errno, name, "cannot clone the mount");
	err_op(e, "open_tree");
	probe_clone(fd, maps, e);
	return r;
}

static int clone_once(int fd, const struct clone_how *how, int *ret_fd, struct err *e)
{
	/*
	 * A clone that shares mounts with the source, or receives mounts from it, must be cloned
	 * from the source itself.
	 */
	if (how->snapshot && how->flags->propagation & (MS_PRIVATE | MS_UNBINDABLE)) {
		*ret_fd = clone_cache_clone(fd);
		if (*ret_fd >= 0)
			return 0;
	}
	return clone_plain(fd, how->name, how->map->wish == MAP_SET, ret_fd, e);
}

/*
 * Clone a mount that has a map, with another map or (userns -1) none: open_tree_attr(2), Linux
 * 6.15. mount_setattr(2) refuses to change a map.
 */
static int clone_remapped(
	int fd, const struct clone_how *how, int userns, int *ret_fd, struct err *e)
{
	struct mount_attr attr = mount_attr_of(how->flags, userns);
	int r;

	if (userns < 0)
		attr.attr_clr |= MOUNT_ATTR_IDMAP;
	*ret_fd = sys_open_tree_attr(
		fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH, &attr);
	if (*ret_fd >= 0)
		return 0;
	r = -errno;
	(void)err_set(e, -r, how->name, "cannot %s the map of this mount",
		userns < 0 ? "drop" : "replace");
	err_op(e, "open_tree_attr");
	if (r == -ENOSYS) {
		err_why(e, "it is ID-mapped already, and changing that needs Linux 6.15 or newer");
		err_try(e, "name the directory by a path that is not under an ID-mapped mount");
	} else {
		probe_idmap(fd, userns, how->flags, e);
	}
	return r;
}

static void log_change(const char *name, enum map_change change)
{
	static const char *const texts[] = {
		[MAP_KEPT] = "is ID-mapped already: its map is kept",
		[MAP_REPLACED] = "is ID-mapped already: its map is replaced, not composed with",
		[MAP_DROPPED] = "is ID-mapped: its map is dropped",
	};

	if (texts[change])
		log_verbose("'%s' %s", name, texts[change]);
}

/* Clone without a requested map: the source's map is kept or dropped. */
static int clone_without_map(int fd, const struct clone_how *how, const struct mount_info *info,
	int *ret_fd, enum map_change *ret_change, struct err *e)
{
	scoped_fd int tree = -1;
	int r;

	*ret_change = !info->mapped        ? MAP_PLAIN :
		how->map->wish == MAP_NONE ? MAP_DROPPED :
					     MAP_KEPT;
	if (*ret_change == MAP_DROPPED)
		return clone_remapped(fd, how, -1, ret_fd, e);

	r = clone_once(fd, how, &tree, e);
	if (r < 0)
		return r;
	r = mount_attr_set(tree, how->flags, -1);
	if (r < 0) {
		(void)err_set(e, -r, how->name, "cannot set the flags of the mount");
		err_op(e, "mount_setattr");
		probe_flags(fd, how->flags, e);
		return r;
	}
	*ret_fd = TAKE_FD(tree);
	return 0;
}

static int map_failed(int r, int source, const struct clone_how *how, int userns, struct err *e)
{
	(void)err_set(e, -r, how->name, "cannot set the ID mapping");
	err_op(e, "mount_setattr");
	probe_idmap(source, userns, how->flags, e);
	return r;
}

int clone_set_map(int tree, int source, const char *name, const struct idmap *map, struct err *e)
{
	const struct clone_how how = { .name = name, .flags = &mount_flags_private };
	scoped_mount_info struct mount_info info = { .id = -1 };
	int userns, r;

	r = userns_get(map, &userns, e);
	if (r < 0)
		return r;
	r = mount_attr_set(tree, how.flags, userns);
	if (r == -EINVAL && mount_info_get(tree, &info, NULL) == 0) {
		(void)err_set(e, EINVAL, name, "cannot set the ID mapping");
		err_op(e, "mount_setattr");
		err_why(e, "the mount is attached already, and only a detached one can be mapped");
		return r;
	}
	return r < 0 ? map_failed(r, source, &how, userns, e) : 0;
}

/* Clone with a requested map, which replaces the source's if it has one. */
static int clone_with_map(int fd, const struct clone_how *how, int *ret_fd,
	enum map_change *ret_change, struct err *e)
{
	scoped_mount_info struct mount_info info = { .id = -1 };
	const struct idmap *map = &how->map->map;
	int userns, r;

	r = internal_fs_refuse(fd, how->name, e);
	/* A caller that may not clone the mount gets that error, and none about maps. */
	if (r == 0)
		r = clone_once(fd, how, ret_fd, e);
	if (r == 0)
		r = userns_get(map, &userns, e);
	if (r < 0)
		return r;

	r = mount_attr_set(*ret_fd, how->flags, userns);
	if (r == 0) {
		*ret_change = MAP_MADE;
		return verify_owner(*ret_fd, fd, NULL, map, how->name, e);
	}
	if (r != -EPERM || mount_info_get(fd, &info, NULL) < 0 || !info.mapped)
		return map_failed(r, fd, how, userns, e);

	cleanup_fd(ret_fd);
	*ret_fd = -1;
	r = clone_remapped(fd, how, userns, ret_fd, e);
	if (r < 0)
		return r;
	*ret_change = MAP_REPLACED;
	return info.map_known ? verify_owner(*ret_fd, fd, &info.map, map, how->name, e) : 0;
}

static int get_info(int fd, const struct clone_how *how, struct mount_info *ret, struct err *e)
{
	int r = how->snapshot ? mount_info_look(fd, how->snapshot, ret, e) :
				mount_info_get(fd, ret, e);

	if (r == -ENOENT && internal_fs_refuse(fd, how->name, e) < 0)
		return -EINVAL;
	if (r < 0)
		err_prefix(e, "'%s'", how->name);
	if (r == -ENOENT)
		err_why(e, "it is on a mount of another mount namespace");
	return r;
}

int clone_mapped(int fd, const struct clone_how *how, int *ret_fd, enum map_change *ret_change,
	struct err *e)
{
	scoped_mount_info struct mount_info info = { .id = -1 };
	scoped_fd int tree = -1;
	int r;

	if (how->map->wish == MAP_SET) {
		r = clone_with_map(fd, how, &tree, ret_change, e);
	} else {
		r = get_info(fd, how, &info, e);
		if (r == 0)
			r = clone_without_map(fd, how, &info, &tree, ret_change, e);
	}
	if (r < 0)
		return r;

	log_change(how->name, *ret_change);
	*ret_fd = TAKE_FD(tree);
	return 0;
}

int clone_private(int fd, const char *name, const struct mount_map *map, int *ret_fd, struct err *e)
{
	const struct clone_how how = { .name = name, .map = map, .flags = &mount_flags_private };
	enum map_change change;

	return clone_mapped(fd, &how, ret_fd, &change, e);
}
