/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_STORED_LAYER_H
#define MOUNT_STORED_LAYER_H

#include <stdbool.h>

#include "../base/cleanup.h"
#include "../base/err.h"

/*
 * The directory of a layer in a store (store/store.h). It is STORE/layers/NAME or, if podman has
 * the layer, STORE/podman/overlay/ID/diff, where podman wants a directory and no link. Then
 * layers/NAME is the symbolic link "../podman/overlay/ID/diff". A link is read here and never
 * followed: one of another form is an error.
 */

enum {
	STORED_LAYER_ID = 65,    /* podman's id: 64 hexadecimal digits and NUL */
	STORED_LAYER_LINK = 96,  /* the text of a link, and NUL */
	STORED_LAYER_PATH = 160, /* of a directory, below STORE */
	STORED_LAYER_NAME = 96   /* in layers/, and NUL */
};

/* Print the text of the link to the directory of the layer with this id. Returns buf. */
const char *stored_layer_link(const char *id, char buf[static STORED_LAYER_LINK]);

/*
 * Is the entry of layers/ with this name a link? Returns 1 and podman's id; 0 if it is anything but
 * a link; -ELOOP if it is a link of another form; or what readlink(2) says. No error is described.
 */
MUST_CHECK int stored_layer_id(int layers, const char *name, char ret[static STORED_LAYER_ID]);

/*
 * Does the store have the directory of this layer? store is the descriptor of STORE. Returns 1, 0,
 * or -errno with e filled if that cannot be found out.
 */
MUST_CHECK int stored_layer_exists(int store, const char *name, struct err *e);

/*
 * Open the directory of a layer with these flags of open(2), which O_DIRECTORY is added to. It may
 * be moved meanwhile. Returns 0 or -errno with e filled; the caller closes *ret_fd.
 */
MUST_CHECK int stored_layer_open(
	int store, const char *name, int flags, int *ret_fd, struct err *e);

/*
 * Find the store, on the same mount, whose layer the open directory fd (O_PATH) is, and the layer's
 * name in layers/. Returns false if it is not the directory of a layer; else the caller closes
 * *ret_store (O_PATH). Anybody can make a directory of that form.
 */
bool stored_layer_find(int fd, int *ret_store, char ret_name[static STORED_LAYER_NAME]);

/*
 * Find podman's id in the path of a directory: in ".../overlay/ID/diff" or in a path below that.
 * Returns false if there is none.
 */
bool stored_layer_id_in(const char *path, char ret[static STORED_LAYER_ID]);

/*
 * Can the lower directory that the kernel shows of an overlay be the layer dir (STORE/layers/NAME)?
 * The kernel shows the path below STORE, or below layers/, or the name. Other texts say nothing,
 * and the answer is yes.
 */
bool stored_layer_may_be(const char *shown, const char *dir);

/* Can it be the layer whose directory is fd (O_PATH), which may be in no store? */
bool stored_layer_may_be_open(const char *shown, int fd);

#endif
