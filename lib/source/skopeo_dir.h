/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SKOPEO_DIR_H
#define SOURCE_SKOPEO_DIR_H

#include <stdbool.h>

#include "../base/err.h"
#include "platform.h"
#include "source.h"

/*
 * Read an image in the directory s->dirfd, in skopeo's format "dir:", which "podman save
 * --format docker-dir" writes, too. manifest.json is a manifest, of docker or OCI, and each blob is
 * a file that is named by the hex digits of its digest. Fills s as oci_open() does.
 */
MUST_CHECK int skopeo_dir_open(
	struct source *s, const struct platform *want, bool strict, struct err *e);

#endif
