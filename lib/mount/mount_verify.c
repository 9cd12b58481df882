/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount_verify: compare what was mounted with what was requested. */

#include "mount_verify.h"

#include <errno.h>
#include <sys/stat.h>

#include "../base/sys.h"

static const struct {
	uint64_t attr;
	const char *name;
} flag_names[] = {
	{ MOUNT_ATTR_RDONLY, "ro" },
	{ MOUNT_ATTR_NOSUID, "nosuid" },
	{ MOUNT_ATTR_NODEV, "nodev" },
	{ MOUNT_ATTR_NOEXEC, "noexec" },
	{ MOUNT_ATTR_NODIRATIME, "nodiratime" },
	{ MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow" },
};

static int wrong(const char *name, const char *what, struct err *e)
{
	(void)err_say(e, EIO, name, "the mount is not as requested: %s", what);
	err_op(e, "verify");
	err_try(e, "it was undone; please report this with the output of: uname -r");
	return -EIO;
}

static bool seen_as_mapped(bool has, uint32_t want, uint32_t disk, uint32_t seen)
{
	/*
	 * An id without a mapping is shown as the overflow id, so as itself only if it is that id.
	 */
	return has ? seen == want : seen != disk || disk == IDMAP_OVERFLOW;
}

int verify_seen(
	int tree, const struct stat *raw, const struct idmap *map, const char *name, struct err *e)
{
	uint32_t uid = 0, gid = 0;
	bool has_uid, has_gid;
	struct stat seen;
	char text[160];

	if (fstat(tree, &seen) < 0)
		return err_set(e, errno, name, "cannot read back the owner");
	has_uid = idmap_uid_seen(map, raw->st_uid, &uid);
	has_gid = idmap_gid_seen(map, raw->st_gid, &gid);
	if (seen_as_mapped(has_uid, uid, raw->st_uid, seen.st_uid) &&
		seen_as_mapped(has_gid, gid, raw->st_gid, seen.st_gid))
		return 0;

	(void)snprintf(text, sizeof(text), "disk owner %u:%u is seen as %u:%u", raw->st_uid,
		raw->st_gid, seen.st_uid, seen.st_gid); /* fits: four numbers */
	return wrong(name, text, e);
}

int verify_owner(int tree, int fd, const struct idmap *old, const struct idmap *map,
	const char *name, struct err *e)
{
	struct stat raw;

	if (fstat(fd, &raw) < 0)
		return err_set(e, errno, name, "cannot read back the owner");
	/* Ids that the old map does not show cannot be compared. */
	if (old &&
		(!idmap_uid_disk(old, raw.st_uid, &raw.st_uid) ||
			!idmap_gid_disk(old, raw.st_gid, &raw.st_gid)))
		return 0;
	return verify_seen(tree, &raw, map, name, e);
}

static int not_writable(const char *name, struct err *e)
{
	(void)err_set(e, EROFS, name, "cannot mount it writable");
	err_op(e, "verify");
	err_why(e, "the filesystem itself is read-only");
	err_try(e, "omit the option rw");
	return -EROFS;
}

int verify_flags(int tree, const struct mount_flags *flags, const char *name, struct err *e)
{
	uint64_t clear = flags->clear & ~flags->set, is;
	int r = mount_flags_get(tree, &is);
	char text[64];

	if (r < 0)
		return err_set(e, -r, name, "cannot read back the flags");
	if (clear & is & MOUNT_ATTR_RDONLY)
		return not_writable(name, e);
	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++) {
		uint64_t attr = flag_names[i].attr;

		if (((flags->set & ~is) | (clear & is)) & attr) {
			(void)snprintf(text, sizeof(text), "%s is %s", flag_names[i].name,
				is & attr ? "set" : "not set");
			return wrong(name, text, e);
		}
	}
	if (flags->clear & MOUNT_ATTR__ATIME &&
		(is & MOUNT_ATTR__ATIME) != (flags->set & MOUNT_ATTR__ATIME))
		return wrong(name, "access times are updated in another way", e);
	return 0;
}

static int verify_map(
	const struct mount_info *info, const struct mount_map *map, const char *name, struct err *e)
{
	if (map->wish == MAP_NONE && info->mapped)
		return wrong(name, "it is ID-mapped", e);
	if (map->wish != MAP_SET)
		return 0;
	if (!info->mapped)
		return wrong(name, "it is not ID-mapped", e);
	if (info->map_known && !idmap_equal(&info->map, &map->map)) {
		scoped_buf struct buf b = BUF_INIT;

		buf_str(&b, "its map is ");
		idmap_print(&info->map, &b);
		return wrong(name, buf_get(&b) ? buf_get(&b) : "its map differs", e);
	}
	return 0;
}

static int verify_propagation(
	const struct mount_info *info, uint64_t want, const char *name, struct err *e)
{
	/* A slave without a master is private. */
	if (want != MS_SLAVE && (info->propagation & want) != want)
		return wrong(name, "its propagation differs", e);
	if (want == MS_PRIVATE && info->propagation & (MS_SHARED | MS_SLAVE))
		return wrong(name, "it is not private", e);
	return 0;
}

int verify_info(const struct mount_info *info, const struct mount_flags *flags,
	const struct mount_map *map, const char *name, struct err *e)
{
	int r = verify_propagation(info, flags->propagation, name, e);

	return r == 0 && map ? verify_map(info, map, name, e) : r;
}
