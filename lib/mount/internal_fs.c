/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* internal_fs: refuse files of the kernel's internal filesystems, to which links of /proc lead. */

#include "internal_fs.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "../base/vec.h"

#ifndef PID_FS_MAGIC
#define PID_FS_MAGIC 0x50494446
#endif

static const struct {
	unsigned long magic;
	const char *what, *remedy;
} internals[] = {
	{ NSFS_MAGIC, "namespace",
		"mount --bind keeps a namespace; -m /proc/PID/ns/user uses the map of one" },
	{ PIPEFS_MAGIC, "pipe", "name a file or directory by its own path" },
	{ SOCKFS_MAGIC, "socket", "name a file or directory by its own path" },
	{ ANON_INODE_FS_MAGIC, "kernel object", "name a file or directory by its own path" },
	{ PID_FS_MAGIC, "process descriptor", "name a file or directory by its own path" },
};

int internal_fs_refuse(int fd, const char *name, struct err *e)
{
	struct statfs fs;

	/* Only a FUSE daemon fails with ENOSYS: the filesystems inside the kernel all answer. */
	if (fstatfs(fd, &fs) < 0)
		return errno == ENOSYS ?
			0 :
			err_set(e, errno, name, "cannot read the type of its filesystem");
	for (size_t i = 0; i < ARRAY_LEN(internals); i++) {
		if ((unsigned long)fs.f_type != internals[i].magic)
			continue;
		(void)err_say(e, EINVAL, name,
			"is a %s, and not a file or directory that can be ID-mapped",
			internals[i].what);
		err_op(e, "internal");
		err_why(e, "the kernel keeps it in an internal filesystem, which has no maps");
		err_try(e, "%s", internals[i].remedy);
		return -EINVAL;
	}
	return 0;
}
