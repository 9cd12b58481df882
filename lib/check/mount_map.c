/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount_map: read a mount's ID map, and clone the mount without it. */

#include "mount_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/num.h"
#include "../base/sys.h"
#include "../mount/info_anywhere.h"
#include "../mount/record_store.h"

/* Room for statmount(2) to return two maps of 340 extents with up to 33 bytes a line. */
enum { STATMOUNT_SIZE = sizeof(struct sys_statmount) + 2 * IDMAP_EXTENTS_MAX * 36 };

enum { MOUNTINFO_MAX = 64 << 20 };

/*
 * --- reading the map -------------------------------------------------------------------------
 */

/* Append num NUL-terminated strings at offset at of sm->str to ret, as lines. */
static int map_lines(const struct sys_statmount *sm, uint32_t at, uint32_t num, struct buf *ret)
{
	size_t room = sm->size > sizeof(*sm) ? sm->size - sizeof(*sm) : 0;

	for (uint32_t i = 0; i < num; i++) {
		size_t len = at < room ? strnlen(sm->str + at, room - at) : 0;

		if (!len || at + len >= room)
			return -EPROTO;
		buf_add(ret, sm->str + at, len);
		buf_char(ret, '\n');
		at += (uint32_t)len + 1;
	}
	return buf_get(ret) ? 0 : -ENOMEM;
}

static int parse_statmount(
	const struct sys_statmount *sm, const char *path, struct idmap *ret, struct err *e)
{
	scoped_buf struct buf uid = BUF_INIT, gid = BUF_INIT;
	int r = map_lines(sm, sm->mnt_uidmap, sm->mnt_uidmap_num, &uid);

	if (r == 0)
		r = map_lines(sm, sm->mnt_gidmap, sm->mnt_gidmap_num, &gid);
	if (r < 0)
		return err_set(e, -r, path, "cannot read the map of the mount");
	r = idmap_parse_kernel(buf_get(&uid), buf_get(&gid), ret, e);
	if (r < 0) {
		err_prefix(e, "the map of the mount");
		return r;
	}
	return MOUNT_MAP_KNOWN;
}

/*
 * Returns an enum mount_map_kind; -EOPNOTSUPP if statmount(2) does not return maps, or -ENOENT if
 * the mount is not in this mount namespace, both without an error in e; or another -errno with e
 * filled. For an ID-mapped mount the mask has the bits of the maps
 * even if no extent has an id in this user namespace.
 */
static int map_by_statmount(int fd, const char *path, struct idmap *ret, struct err *e)
{
	const uint64_t maps = SYS_STATMOUNT_MNT_UIDMAP | SYS_STATMOUNT_MNT_GIDMAP;
	scoped_free struct sys_statmount *sm = calloc(1, STATMOUNT_SIZE);
	struct statx x;

	if (!sm)
		return err_nomem(e);
	if (statx(fd, "", AT_EMPTY_PATH, SYS_STATX_MNT_ID_UNIQUE, &x) < 0)
		return err_set(e, errno, path, "cannot stat");
	if (!(x.stx_mask & SYS_STATX_MNT_ID_UNIQUE))
		return -EOPNOTSUPP;
	if (sys_statmount(0, x.stx_mnt_id, maps | SYS_STATMOUNT_MNT_BASIC, sm, STATMOUNT_SIZE) < 0)
		return errno == ENOSYS || errno == EPERM ?
			-EOPNOTSUPP :
			errno == ENOENT ?
			-ENOENT :
			err_set(e, errno, path, "cannot read the mount's map (statmount)");

	if (!(sm->mnt_attr & MOUNT_ATTR_IDMAP))
		return MOUNT_MAP_NONE;
	if ((sm->mask & maps) != maps)
		return -EOPNOTSUPP;
	if (!sm->mnt_uidmap_num || !sm->mnt_gidmap_num)
		return MOUNT_MAP_HIDDEN;
	return parse_statmount(sm, path, ret, e);
}

/* Does the line "ID PARENT MAJ:MIN ROOT TARGET OPTIONS ..." list the option "idmapped"? */
static bool line_idmapped(const char *line, size_t len)
{
	const char *p = line, *end = line + len;

	for (int field = 0; field < 5; field++) {
		p = memchr(p, ' ', (size_t)(end - p));
		if (!p)
			return false;
		p++;
	}
	for (const char *stop = memchr(p, ' ', (size_t)(end - p)); stop && p < stop;) {
		const char *comma = memchr(p, ',', (size_t)(stop - p));
		size_t n = (size_t)((comma ? comma : stop) - p);

		if (n == strlen("idmapped") && !memcmp(p, "idmapped", n))
			return true;
		p += n + 1;
	}
	return false;
}

/* -ENOENT, without an error in e: the mount is not in this mount namespace. */
static int map_by_mountinfo(uint64_t mount, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	size_t len;
	int r = fd_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, e);

	if (r < 0)
		return r;
	for (const char *line = buf_get(&text); line && *line; line += len + (line[len] == '\n')) {
		const char *blank;
		uint64_t id;

		len = strcspn(line, "\n");
		blank = memchr(line, ' ', len);
		if (blank && num_u64_n(line, (size_t)(blank - line), &id) == 0 && id == mount)
			return line_idmapped(line, len) ? MOUNT_MAP_HIDDEN : MOUNT_MAP_NONE;
	}
	return -ENOENT;
}

/* The map of a mount in the mount namespace of another process. */
static int map_elsewhere(int fd, const char *path, struct idmap *ret, struct err *e)
{
	scoped_mount_info struct mount_info i = { .id = -1 };
	scoped_mntns struct mntns ns = MNTNS_INIT;
	int r = mount_info_anywhere(fd, &i, &ns, e);

	if (r == -ENOENT) {
		(void)err_say(e, ENOENT, path, "its mount is not listed in /proc/self/mountinfo");
		err_why(e, "it is detached, or in a mount namespace that cannot be looked into");
	}
	if (r < 0)
		return r;
	if (!i.mapped)
		return MOUNT_MAP_NONE;
	if (!i.map_known)
		return MOUNT_MAP_HIDDEN;
	*ret = i.map;
	i.map_known = false; /* ret owns the map */
	return MOUNT_MAP_KNOWN;
}

/* If the kernel does not show the map, the record of the mount may have it. */
static int map_by_record(int fd, struct idmap *ret, struct err *e)
{
	scoped_mount_record struct mount_record rec = { .mount = 0 };
	const struct idmap *map;

	if (!record_store_find_fd(fd, &rec) || rec.kind == MOUNT_OVERLAY || rec.other_userns)
		return MOUNT_MAP_HIDDEN;
	map = mount_record_map(&rec);
	if (!map)
		return MOUNT_MAP_HIDDEN;
	return idmap_copy(map, ret, e) < 0 ? -ENOMEM : MOUNT_MAP_KNOWN;
}

int mount_map_read(int fd, const char *path, struct idmap *ret, struct err *e)
{
	struct statfs fs;
	struct statx x;
	int r = map_by_statmount(fd, path, ret, e);

	if (r == -EOPNOTSUPP) {
		log_verbose(
			"statmount(2) does not return maps here (since Linux 6.15): looking for "
			"\"idmapped\" in mountinfo");
		if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) < 0)
			return err_set(e, errno, path, "cannot stat");
		r = map_by_mountinfo(x.stx_mnt_id, e);
	}
	if (r == -ENOENT)
		r = map_elsewhere(fd, path, ret, e);
	if (r == MOUNT_MAP_HIDDEN)
		return map_by_record(fd, ret, e);
	if (r != MOUNT_MAP_NONE)
		return r;
	if (fstatfs(fd, &fs) < 0)
		return err_set(e, errno, path, "cannot determine the filesystem");
	return fs.f_type == OVERLAYFS_SUPER_MAGIC ? MOUNT_MAP_OVERLAY : MOUNT_MAP_NONE;
}

/*
 * --- the mount without its map ---------------------------------------------------------------
 */

int unmapped_clone(int fd, const char *path, int *ret_fd, struct err *e)
{
	/* Read-only, so that not even access times change. */
	const struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			MOUNT_ATTR_NOEXEC,
		.attr_clr = MOUNT_ATTR_IDMAP,
	};
	int r = sys_open_tree_attr(
		fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH, &attr);
	int num = errno;

	if (r >= 0) {
		*ret_fd = r;
		return 0;
	}

	(void)err_set(e, num, path, "cannot clone the mount without its map");
	err_op(e, "open_tree_attr");
	if (num == ENOSYS)
		err_why(e, "the kernel is older than 6.15, which added open_tree_attr(2)");
	else if (num == EPERM)
		err_why(e,
			"that requires CAP_SYS_ADMIN in the user namespace that the filesystem was "
			"mounted in");
	err_try(e,
		"specify the directory below the mount with --source, or the expected content "
		"with --spec or --image");
	return -num;
}
