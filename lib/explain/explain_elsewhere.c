/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_elsewhere: walk the path of a file in the mount namespace of another process. */

#include "explain_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/sys.h"
#include "../mount/info_anywhere.h"

int explain_elsewhere_find(struct explanation *x, int fd, struct err *e)
{
	scoped_mount_info struct mount_info i = { .id = -1 };
	struct mntns ns = MNTNS_INIT;
	int r = mount_info_anywhere(fd, &i, &ns, NULL);

	if (r == -ENOMEM)
		return err_nomem(e);
	if (r < 0 || ns.fd < 0)
		return 0; /* explain_mount_find() reports a mount that is nowhere */
	x->elsewhere = malloc(sizeof(*x->elsewhere));
	if (!x->elsewhere) {
		mntns_done(&ns);
		return err_nomem(e);
	}
	*x->elsewhere = ns;
	(void)snprintf(x->root, sizeof(x->root), "/proc/%d/root", (int)ns.pid); /* fits */
	return 0;
}

int explain_elsewhere_root(const struct explanation *x)
{
	if (!x->elsewhere)
		return open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return openat(x->elsewhere->proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int explain_elsewhere_next(const struct explanation *x, int dir, const char *name)
{
	const struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_CACHED,
	};

	if (!x->elsewhere || mntns_is_of_our_userns(x->elsewhere))
		return openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return sys_openat2(dir, name, &how);
}

void explain_elsewhere_done(struct explanation *x)
{
	if (x->elsewhere)
		mntns_done(x->elsewhere);
	free(x->elsewhere);
	x->elsewhere = NULL;
}
