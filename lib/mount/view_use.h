/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_VIEW_USE_H
#define MOUNT_VIEW_USE_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../base/vec.h"

/*
 * Views that containers use. umount(2) refuses a mount on which a process has an open file or its
 * working directory. An overlay keeps private clones of its layers' mounts (fs/overlayfs/super.c),
 * so a view can be unmounted under a running container, whose next start then fails. Therefore a
 * view is also in use while an overlay has a layer in it.
 *
 * In another mount namespace, an overlay counts unless that namespace has another directory under
 * the name of the view. The options of an overlay are the text of the process that mounted it. In
 * mount namespaces of other users than root and the view's own, they do not count.
 */
struct view_uses {
	bool read;
	VEC(struct view_use {
		char *dir;        /* a layer, as the overlay's options name it */
		bool ours;        /* in the caller's mount namespace */
		bool known;       /* uid is set */
		uid_t uid;        /* the owner of the mount namespace */
		pid_t pid;        /* a process in it */
		char command[32]; /* the name of that process */
	})
	items;
};

/*
 * Fail with -EBUSY if an overlay has a layer in the view that is mounted on target. The user of the
 * view is the owner of the directory below it. also: or if such a layer is one of its, by a name
 * that is not below target. The first call reads the mounts of all namespaces.
 */
struct view_layers {
	bool (*is_one)(const char *dir, const void *arg);
	const void *arg;
};
MUST_CHECK int view_uses_check(
	struct view_uses *u, const char *target, const struct view_layers *also, struct err *e);

void view_uses_done(struct view_uses *u);

#endif
