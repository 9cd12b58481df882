/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_DOCKER_H
#define SOURCE_DOCKER_H

#include <stdbool.h>

#include "../base/err.h"
#include "source.h"

/*
 * Load an image from s->archive, which "docker save" wrote. ref is REPO:TAG, "@N" (an index, from
 * 0), or NULL: the only image. want and strict are those of platform_check().
 */
MUST_CHECK int docker_open(
	struct source *s, const char *ref, const struct platform *want, bool strict, struct err *e);

#endif
