/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_RUNTIME_CONFIG_H
#define IMAGE_RUNTIME_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../idmap/idmap.h"
#include "image_config.h"
#include "image_user.h"

/* The config.json of an OCI runtime bundle (OCI runtime-spec, config.md). */
struct runtime_options {
	const char *name;        /* of the image: becomes the hostname, as far as it can */
	const struct idmap *map; /* as the layers are mounted: disk ids are the container's, seen
	                            ids the machine's */
	char *const *args;       /* instead of the image's Cmd, when n_args is not 0 */
	size_t n_args;
	bool terminal;      /* give the program one of its own */
	uint64_t max_files; /* the most that RLIMIT_NOFILE can be here */
};

/*
 * Write it into ret. Nothing is asked of the machine. -EINVAL: the image has no command and none
 * was given, an argument is not UTF-8; -ENODATA: the map has no place for one of the user's ids.
 */
int runtime_config_make(const struct image_config *image, const struct image_user *user,
	const struct runtime_options *o, struct buf *ret, struct err *e);

/* What it needs as directories in the image, for a stack that is read-only; NULL-terminated. */
extern const char *const runtime_mount_points[];

#endif
