/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_MOUNT_H
#define STORE_STORE_MOUNT_H

#include <sys/types.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "store.h"

/* A mount that uses layers of a store. */
struct store_mount {
	struct buf target; /* its path in the mount namespace of that process; empty: no mount */
	pid_t pid;         /* a process in that namespace; 0: the caller's namespace */
	char command[32];  /* the name of that process */
};

/*
 * Fail with -EBUSY, with the place in e, if the image is mounted in one of the mount namespaces
 * that mount_info_all_namespaces() can read and that belong to the caller, root or the store's
 * owner. A mount counts if its source is image:NAME and its layers, if the kernel shows them, are
 * not those of another store.
 */
MUST_CHECK int store_mount_refuse(const struct store *s, const char *image, struct err *e);

/* Add to e where the mount is (err_why(), after the text why) and how to unmount it (err_try()). */
void store_mount_explain(const struct store_mount *m, const char *why, struct err *e);

/* The layers that are mounted. Zero-initialise, free with store_mounted_done(). */
struct store_mounted {
	struct strv names; /* as in layers/; may include layers of other stores */
	struct strv links; /* of podman's layers (podman.h), in the namespaces of all users */
	/*
	 * A mount that may be of an image of this store, but whose layers the kernel does not show;
	 * its target is empty if there is none.
	 */
	struct store_mount opaque;
};

/* Find the mounted layers, in every mount namespace that mount_info_all_namespaces() can read. */
MUST_CHECK int store_mount_find_layers(
	const struct store *s, struct store_mounted *ret, struct err *e);
void store_mounted_done(struct store_mounted *u);

#endif
