/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MISSING_SOURCE_H
#define CMD_MISSING_SOURCE_H

#include <stdbool.h>

#include "../lib/base/err.h"

struct unpack_args;

/*
 * If the error says that the source of a mount, or the root of a command, does not exist, add what
 * may have been meant: a stored image, an image that is not unpacked yet, a share of NFS. store:
 * the directory of the store, or NULL for the default. use: how the caller names an image, with
 * "%s" for its name: "image:%s".
 */
void source_advise(const char *source, const char *store, const char *use, struct err *e);

/*
 * If the error says that no filesystem was found in the source of a mount, and it is an archive,
 * say so. Returns true then. This holds for a line of an fstab, too.
 */
bool source_advise_archive(const char *source, struct err *e);

/*
 * If the error says that the source of image-unpack does not exist, say how it is fetched, or that
 * the word names an image in the store.
 */
void unpack_source_advise(const char *source, const struct unpack_args *a, struct err *e);

/* Add to an error about the path that there is an image of this name in the store. */
void stored_image_advise(const char *path, const char *store, struct err *e);

#endif
