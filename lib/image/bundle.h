/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_BUNDLE_H
#define IMAGE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/err.h"
#include "../idmap/idmap.h"
#include "../store/store.h"
#include "image_user.h"
#include "runtime_config.h"

/*
 * An OCI runtime bundle of a stored image: DIR/config.json, and DIR/rootfs where its stack is to be
 * mounted.
 */
struct bundle_options {
	const char *dir; /* made if it is not there; else it must be empty */
	const char *image;
	const struct idmap *map; /* with which the stack will be mounted */
	char *const *args;       /* instead of the image's Cmd */
	size_t n_args;
	bool terminal;
	bool open_to_all; /* files that give rights to others may be where others can reach them:
	                     see open_place.h */
	bool dry_run;     /* make nothing */
};

struct bundle_result {
	struct image_user user;
	char *dir;         /* absolute, when it was made */
	struct buf config; /* config.json */
	bool writable; /* the image lacks a directory that the runtime mounts on: it must be able to
	                  make it */
};

/*
 * DIR is 0711, as the container's root, who is no user of this machine, must pass it; but one that
 * its group alone can pass stays 0710. config.json is 0600 and appears whole. -EPERM: what
 * open_place.h refuses. What the user may want to know is said with log_warn: files whose owners
 * the map does not cover, volumes, a DIR that the container's root cannot reach. A failure leaves
 * nothing behind. Free with bundle_result_done().
 */
int bundle_make(
	struct store *s, const struct bundle_options *o, struct bundle_result *ret, struct err *e);

void bundle_result_done(struct bundle_result *b);

#endif
