/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_IMAGE_REF_H
#define SOURCE_IMAGE_REF_H

#include <stdbool.h>

/*
 * Does an image's name, such as "docker.io/library/web:latest", match the user's reference? The
 * reference may omit the tag, which is then "latest", and any leading components of the repository.
 */
bool image_ref_matches(const char *name, const char *ref);

#endif
