/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* flags: read the flags of a mount. */

#include "flags.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "../base/sys.h"

#ifndef ST_NOSYMFOLLOW /* Linux 5.10, include/linux/statfs.h; not in glibc 2.36 */
#define ST_NOSYMFOLLOW 8192
#endif

int mount_flags_get(int fd, uint64_t *ret)
{
	static const struct {
		unsigned long flag;
		uint64_t attr;
	} bits[] = {
		{ ST_RDONLY, MOUNT_ATTR_RDONLY },
		{ ST_NOSUID, MOUNT_ATTR_NOSUID },
		{ ST_NODEV, MOUNT_ATTR_NODEV },
		{ ST_NOEXEC, MOUNT_ATTR_NOEXEC },
		{ ST_NODIRATIME, MOUNT_ATTR_NODIRATIME },
		{ ST_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW },
	};
	struct statfs fs;
	unsigned long has;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	has = (unsigned long)fs.f_flags;
	*ret = has & ST_NOATIME   ? MOUNT_ATTR_NOATIME :
		has & ST_RELATIME ? MOUNT_ATTR_RELATIME :
				    MOUNT_ATTR_STRICTATIME;
	for (size_t i = 0; i < ARRAY_LEN(bits); i++)
		if (has & bits[i].flag)
			*ret |= bits[i].attr;
	return 0;
}
