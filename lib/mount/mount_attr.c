/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount_attr: map, flags and propagation of a mount, set in one call. */

#include "mount_attr.h"

#include <errno.h>
#include <fcntl.h>

#include "../base/sys.h"

const struct mount_flags mount_flags_private = { .propagation = MS_PRIVATE };

struct mount_attr mount_attr_of(const struct mount_flags *flags, int userns)
{
	struct mount_attr attr = {
		.attr_set = flags->set,
		.attr_clr = flags->clear,
		.propagation = flags->propagation,
	};

	if (userns >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)userns;
	}
	return attr;
}

int mount_attr_set(int fd, const struct mount_flags *flags, int userns)
{
	struct mount_attr attr = mount_attr_of(flags, userns);

	return sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr) < 0 ? -errno : 0;
}

int mount_attr_set_all(int fd, const struct mount_flags *flags, int userns)
{
	struct mount_attr attr = mount_attr_of(flags, userns);

	return sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) < 0 ? -errno : 0;
}
