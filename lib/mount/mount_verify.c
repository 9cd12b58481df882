/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount_verify: read back what was mounted. */

#include "mount_verify.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "../base/sys.h"

/* statfs(2), f_flags; NOSYMFOLLOW is younger than glibc 2.36 */
enum {
	FLAG_RDONLY = 1,
	FLAG_NOSUID = 2,
	FLAG_NODEV = 4,
	FLAG_NOEXEC = 8,
	FLAG_NOATIME = 1024,
	FLAG_NODIRATIME = 2048,
	FLAG_RELATIME = 4096,
	FLAG_NOSYMFOLLOW = 8192,
};

static const struct {
	uint64_t attr;
	unsigned flag;
	const char *name;
} flag_names[] = {
	{ MOUNT_ATTR_RDONLY, FLAG_RDONLY, "ro" },
	{ MOUNT_ATTR_NOSUID, FLAG_NOSUID, "nosuid" },
	{ MOUNT_ATTR_NODEV, FLAG_NODEV, "nodev" },
	{ MOUNT_ATTR_NOEXEC, FLAG_NOEXEC, "noexec" },
	{ MOUNT_ATTR_NODIRATIME, FLAG_NODIRATIME, "nodiratime" },
	{ MOUNT_ATTR_NOSYMFOLLOW, FLAG_NOSYMFOLLOW, "nosymfollow" },
};

static int wrong(const char *name, const char *what, struct err *e)
{
	(void)err_say(e, EIO, name, "the mount is not what was asked for: %s", what);
	err_op(e, "verify");
	err_try(e, "it was undone; please report this with the output of: uname -r");
	return -EIO;
}

static bool seen_as_mapped(bool has, uint32_t want, uint32_t disk, uint32_t seen)
{
	/*
	 * An id without a mapping is shown as the overflow id, so never as itself (but for that
	 * very id).
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
	/* What the old map hides cannot be compared. */
	if (old &&
		(!idmap_uid_disk(old, raw.st_uid, &raw.st_uid) ||
			!idmap_gid_disk(old, raw.st_gid, &raw.st_gid)))
		return 0;
	return verify_seen(tree, &raw, map, name, e);
}

int verify_flags(int tree, const struct mount_flags *flags, const char *name, struct err *e)
{
	struct statfs fs;
	char text[64];

	if (fstatfs(tree, &fs) < 0)
		return err_set(e, errno, name, "cannot read back the flags");

	if (!(flags->set & MOUNT_ATTR_RDONLY) && flags->clear & MOUNT_ATTR_RDONLY &&
		fs.f_flags & FLAG_RDONLY) {
		(void)err_set(e, EROFS, name, "cannot mount it writable");
		err_op(e, "verify");
		err_why(e, "the filesystem itself is read-only");
		err_try(e, "leave out the option rw");
		return -EROFS;
	}
	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++) {
		bool on = (unsigned long)fs.f_flags & flag_names[i].flag;
		bool want_on = flags->set & flag_names[i].attr,
		     want_off = !want_on && flags->clear & flag_names[i].attr;

		if ((want_on && !on) || (want_off && on)) {
			(void)snprintf(text, sizeof(text), "%s is %s", flag_names[i].name,
				on ? "set" : "not set");
			return wrong(name, text, e);
		}
	}
	if (flags->clear & MOUNT_ATTR__ATIME) {
		uint64_t want = flags->set & MOUNT_ATTR__ATIME;
		uint64_t is = fs.f_flags & FLAG_NOATIME ? MOUNT_ATTR_NOATIME :
			fs.f_flags & FLAG_RELATIME      ? MOUNT_ATTR_RELATIME :
							  MOUNT_ATTR_STRICTATIME;

		if (is != want)
			return wrong(name, "access times are kept in another way", e);
	}
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
		return wrong(name, buf_get(&b) ? buf_get(&b) : "its map is another", e);
	}
	return 0;
}

static int verify_propagation(
	const struct mount_info *info, uint64_t want, const char *name, struct err *e)
{
	/* A slave of nobody is private. */
	if (want != MS_SLAVE && (info->propagation & want) != want)
		return wrong(name, "its propagation is another", e);
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
