/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_IMAGE_CONFIG_H
#define IMAGE_IMAGE_CONFIG_H

#include <stddef.h>

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/vec.h"

/* How an image is to be run, according to its configuration (OCI image-spec, config.md). */
struct image_config {
	struct strv entrypoint, cmd;
	struct strv env;         /* NAME=VALUE, each name once */
	struct strv volumes;     /* paths */
	char *user, *cwd;        /* "" if not specified */
	struct strv annotations; /* name, value, name, value, ... (OCI image-spec, conversion.md);
	                            the last one of a name counts */
};

/*
 * Parse the n bytes of a config.json. Of the image's labels only those below
 * org.opencontainers.image. become annotations: runtimes act on others, and the author of an image
 * must not control them. What is omitted is logged (log_verbose; a malformed variable: log_warn).
 * -EINVAL names the key. Zero-initialise *ret, and free it with image_config_done().
 */
MUST_CHECK int image_config_read(
	const char *text, size_t n, struct image_config *ret, struct err *e);

void image_config_done(struct image_config *c);

#define scoped_image_config __attribute__((cleanup(image_config_done)))

#endif
