/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_IMAGE_CONFIG_H
#define IMAGE_IMAGE_CONFIG_H

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/vec.h"

/* What an image's configuration says of how it is to be run (OCI image-spec, config.md). */
struct image_config {
	struct strv entrypoint, cmd;
	struct strv env;         /* NAME=VALUE */
	struct strv volumes;     /* paths */
	char *user, *cwd;        /* "" when it does not say */
	struct strv annotations; /* name, value, name, value ...: of conversion.md; a later one of a
	                            name counts */
};

/*
 * Read n bytes of a config.json. What the image is labelled becomes an annotation only below
 * org.opencontainers.image.: runtimes take orders from others, and an image's author is not to give
 * any. What is left out is told (log_verbose; a malformed variable: log_warn). -EINVAL names the
 * key. Zero-initialise *ret, free it with image_config_done().
 */
int image_config_read(const char *text, size_t n, struct image_config *ret, struct err *e);

void image_config_done(struct image_config *c);

#define scoped_image_config __attribute__((cleanup(image_config_done)))

#endif
