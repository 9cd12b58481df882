/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_REFERENCE_H
#define SOURCE_REFERENCE_H

#include <stdbool.h>

#include "../base/buf.h"

/*
 * References, by which podman and docker name images: HOST[:PORT]/PATH[:TAG], where HOST contains a
 * dot or is "localhost" (github.com/distribution/reference, without its hosts that have only a
 * port).
 */

/* Is text such a reference, with a host, and without a digest? */
bool reference_is_whole(const char *text);

/*
 * Append the name by which podman knows an image of this name: a whole reference as podman would
 * complete it, or localhost/NAME. The tag is ":latest" if there is none. Returns false, and appends
 * nothing, if the name cannot be part of a reference.
 */
bool reference_for_podman(const char *name, struct buf *ret);

#endif
