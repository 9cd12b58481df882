/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_STORE_H
#define IMAGE_STORE_H

#include <stdbool.h>

#include "../base/err.h"
#include "../base/vec.h"

/*
 * The store: layers/ (one directory per layer, shared by images), images/NAME/ (which layers, topmost
 * first), tmp/ (staging). See image-unpack(8), STORE.
 */
struct store;

enum store_flags { STORE_CREATE = 1 };

/*
 * Open path, or the default for NULL: /var/lib/shiftbox for root, $XDG_DATA_HOME/shiftbox for others.
 * Refused (-EPERM) when others can traverse it: it holds set-uid files.
 */
int store_open(const char *path, unsigned flags, struct store **ret, struct err *e);
void store_close(struct store *s);

const char *store_path(const struct store *s);

/*
 * The image's layer directories as absolute paths, topmost first, and (specs may be NULL) the mtree
 * specification of each, in the same order. -ENOENT names the images that there are.
 */
int store_image_layers(struct store *s, const char *name, struct strv *layers, struct strv *specs, struct err *e);

#endif
