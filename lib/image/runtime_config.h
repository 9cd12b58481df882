/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_RUNTIME_CONFIG_H
#define IMAGE_RUNTIME_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "../idmap/idmap.h"
#include "image_config.h"
#include "image_user.h"

/* The config.json of an OCI runtime bundle (OCI runtime-spec, config.md). */
struct runtime_options {
	const char *name;        /* of the image; the hostname is derived from it */
	const struct idmap *map; /* with which the layers are mounted: disk ids are those in the
	                            container, seen ids those of the host */
	char *const *args;       /* replace the image's Cmd if n_args is not 0 */
	size_t n_args;
	bool in_namespace;  /* the runtime is started in a user namespace with these ids: the
	                       container gets no further one */
	bool terminal;      /* the program gets a terminal of its own */
	uint64_t max_files; /* the hard limit of RLIMIT_NOFILE on this host */
};

/*
 * Append the document to ret. The function is pure. -EINVAL: neither the image nor the options
 * specify a command, or an argument is not UTF-8; -ENODATA: the map does not cover one of the
 * user's ids.
 */
MUST_CHECK int runtime_config_make(const struct image_config *image, const struct image_user *user,
	const struct runtime_options *o, struct buf *ret, struct err *e);

/* The directories that the image must have if its stack is read-only; NULL-terminated. */
extern const char *const runtime_mount_points[];

#endif
