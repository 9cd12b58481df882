/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_BUNDLE_H
#define IMAGE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "../idmap/idmap.h"
#include "../store/store.h"
#include "image_user.h"

/*
 * An OCI runtime bundle of a stored image: DIR/config.json, and DIR/rootfs on which the image's
 * stack is to be mounted.
 */
struct bundle_options {
	const char *dir; /* is created, or must be empty */
	const char *image;
	const struct idmap *map; /* with which the stack will be mounted */
	bool in_namespace;       /* it will be mounted, and the runtime started, in a user
	                            namespace with these ids, by the store's owner */
	char *const *args;       /* replace the image's Cmd if n_args is not 0 */
	size_t n_args;
	bool terminal;
	bool open_to_all; /* allow what open_place.h refuses */
	bool dry_run;     /* create nothing */
};

struct bundle_result {
	struct image_user user; /* the ids that the image's program runs with */
	char *dir;              /* absolute; NULL in a dry run */
	struct buf config;      /* the content of config.json */
	bool writable; /* the runtime must create a mount point that the image lacks, so the stack
	                  must be writable */
};

/*
 * Make a bundle. DIR gets mode 0711, because the container's root, which is not a user of the host,
 * must be able to traverse it; a DIR that only its group can traverse keeps 0710. With in_namespace
 * the caller is the container's root, so a new DIR gets mode 0700. config.json has mode 0600 and
 * appears complete. Logged as warnings are files whose owners the map does not cover, volumes, and
 * a DIR that the container's root cannot reach. -EPERM: see open_place.h. After a failure nothing
 * is left. Free *ret with bundle_result_done().
 */
MUST_CHECK int bundle_make(
	struct store *s, const struct bundle_options *o, struct bundle_result *ret, struct err *e);

void bundle_result_done(struct bundle_result *b);

#endif
