/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_OCI_H
#define SOURCE_OCI_H

#include <stdbool.h>

#include "../base/err.h"
#include "source.h"

/*
 * Load the image of an OCI layout in s->dirfd or s->archive. ref is an annotated reference name or
 * the digest of a manifest; NULL: the only image, or the only one for the platform. want and strict
 * are those of platform_check(); want also chooses among several manifests.
 */
MUST_CHECK int oci_open(
	struct source *s, const char *ref, const struct platform *want, bool strict, struct err *e);

#endif
