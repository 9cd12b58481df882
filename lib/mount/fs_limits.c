/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fs_limits: find out what a filesystem cannot do. */

#include "fs_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/fd.h"
#include "clone.h"
#include "info.h"

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

enum fs_kind fs_kind_of(int fd)
{
	static const struct {
		uint32_t magic; /* statfs(2) has a signed type for it on some targets */
		enum fs_kind kind;
	} kinds[] = {
		{ EXT4_SUPER_MAGIC, FS_COMPLETE },
		{ XFS_SUPER_MAGIC, FS_COMPLETE },
		{ BTRFS_SUPER_MAGIC, FS_COMPLETE },
		{ TMPFS_MAGIC, FS_COMPLETE },
		{ F2FS_SUPER_MAGIC, FS_COMPLETE },
		{ OVERLAYFS_SUPER_MAGIC, FS_OVERLAY },
		{ FUSE_SUPER_MAGIC, FS_FUSE },
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return FS_OTHER;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if ((uint32_t)fs.f_type == kinds[i].magic)
			return kinds[i].kind;
	return FS_OTHER;
}

const char *fs_type_name(int fd, char buf[static 64])
{
	scoped_mount_info struct mount_info info = { .id = -1 };
	/* A detached mount is unknown. */
	const char *name = mount_info_get(fd, &info, NULL) == 0 ? info.type :
		fs_kind_of(fd) == FS_FUSE                       ? "fuse" :
								  "unknown";

	(void)snprintf(buf, 64, "%s", name); /* fits: the same size */
	return buf;
}

void fs_explain_rename(int fd, struct err *e)
{
	char type[64];

	err_why(e,
		"its filesystem (%s) does not support the flags of renameat2(2), by which finished "
		"files appear at once",
		fs_type_name(fd, type));
	err_try(e, "use a directory on another filesystem, such as ext4, xfs, btrfs or tmpfs");
}

bool fs_can_be_mapped(int fd)
{
	static const char *const text[] = { "b:0:1:1" };
	const struct idmap_context ctx = { .strict = true };
	struct mount_map map = { .wish = MAP_SET };
	enum fs_kind kind = fs_kind_of(fd);
	scoped_fd int clone = -1;
	bool can;

	if (kind == FS_COMPLETE || kind == FS_OVERLAY)
		return kind == FS_COMPLETE;
	if (idmap_parse(text, 1, &ctx, &map.map, NULL) < 0)
		return true; /* there is no memory, which other calls report */
	can = clone_private(fd, "", &map, &clone, NULL) == 0;
	idmap_done(&map.map);
	return can;
}

/* 0 or -errno */
static int rename_flags(int dir, const char *a, const char *b, bool exchange)
{
	if (renameat2(dir, a, dir, b, RENAME_NOREPLACE) < 0)
		return -errno;
	if (!exchange)
		return 0;
	if (mkdirat(dir, a, 0700) < 0)
		return -errno;
	return renameat2(dir, a, dir, b, RENAME_EXCHANGE) < 0 ? -errno : 0;
}

int fs_try_rename(int dir, bool exchange, const char *path, struct err *e)
{
	static const char a[] = "probe-a", b[] = "probe-b";
	int r;

	if (fs_kind_of(dir) == FS_COMPLETE)
		return 0;
	r = mkdirat(dir, a, 0700) < 0 ? -errno : rename_flags(dir, a, b, exchange);
	(void)unlinkat(dir, a, AT_REMOVEDIR); /* one of them may not exist */
	(void)unlinkat(dir, b, AT_REMOVEDIR);
	if (r == 0)
		return 0;
	(void)err_set(e, -r, path, "cannot rename files here as it is needed");
	err_op(e, "renameat2");
	if (r == -EINVAL)
		fs_explain_rename(dir, e);
	return r;
}
