/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_MOUNT_H
#define STORE_STORE_MOUNT_H

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "store.h"
#include <sys/types.h>

/* Where an image is mounted. Zero-initialise, free with store_mount_done(). */
struct store_mount {
	struct buf target; /* as a process of its namespace reaches it */
	pid_t pid;         /* of such a process; 0: it is our namespace */
	char command[32];  /* that process's name */
};

/*
 * Is the image mounted, as far as mount_info_all_namespaces() sees, in a mount namespace of ours,
 * of root's or of the store owner's? 1 and the first mount, 0, or -errno. A mount is of the image
 * if it says so (image:NAME) and if its layers, where the kernel tells them, are not those of
 * another store.
 */
int store_mount_find(
	const struct store *s, const char *image, struct store_mount *ret, struct err *e);

void store_mount_done(struct store_mount *m);

/* Fail with -EBUSY if the image is mounted, as store_mount_find() sees it; e names the mount. */
MUST_CHECK int store_mount_refuse(const struct store *s, const char *image, struct err *e);

/* err_why() where it is, and err_try() what to do. */
void store_mount_explain(const struct store_mount *m, const char *why, struct err *e);

/*
 * The layers that are mounted, in any mount namespace that can be seen. Zero-initialise, free with
 * store_mounted_done().
 */
struct store_mounted {
	struct strv names;         /* as in layers/, of any store */
	struct store_mount untold; /* an image that is mounted and does not tell its layers; no
	                              target when all do */
};

int store_mount_find_layers(const struct store *s, struct store_mounted *ret, struct err *e);

void store_mounted_done(struct store_mounted *u);

#endif
