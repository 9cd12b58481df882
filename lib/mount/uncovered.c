/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* uncovered: a directory as it is below what is mounted in it. */

#include "uncovered.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../base/log.h"
#include "../base/path.h"
#include "../base/sys.h"

int uncovered_open(const char *path, int *ret_fd, bool *ret_covered, struct err *e)
{
	scoped_fd int fd = -1, clone = -1;
	int r = path_open(path, O_PATH | O_DIRECTORY, "cannot open the directory", NULL, &fd, e);

	if (r < 0)
		return r;
	clone = sys_open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	/* EINVAL: the mount is unbindable, or has children that are locked (fs/namespace.c). */
	if (clone < 0 && errno != EINVAL && errno != EPERM)
		return err_set(e, errno, path, "cannot clone the mount of the directory");
	if (clone < 0)
		log_verbose("'%s': its mount cannot be cloned without what is mounted below: %s",
			path, strerrordesc_np(errno));
	*ret_covered = clone < 0;
	*ret_fd = clone < 0 ? TAKE_FD(fd) : TAKE_FD(clone);
	return 0;
}
