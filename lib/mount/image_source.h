/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_IMAGE_SOURCE_H
#define MOUNT_IMAGE_SOURCE_H

#include <stddef.h>
#include <string.h>

/* How the source of a mount names an image of a store: "image:NAME". */
#define IMAGE_SOURCE "image:"

/* The NAME of "image:NAME", within source; "" if it is missing; NULL if source is not of that form.
 */
static inline const char *image_source_name(const char *source)
{
	return strncmp(source, IMAGE_SOURCE, strlen(IMAGE_SOURCE)) ? NULL :
								     source + strlen(IMAGE_SOURCE);
}

#endif
