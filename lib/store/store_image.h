/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_IMAGE_H
#define STORE_STORE_IMAGE_H

#include "../base/err.h"
#include "../base/vec.h"
#include "../tar/digest.h"
#include "store.h"
#include "store_layer.h"

/*
 * May this be an image's name? One path component of [A-Za-z0-9._+:@=~%-], no leading dot or dash.
 */
int store_image_name_check(const char *name, struct err *e);

/* The names of all images, sorted. */
int store_image_list(struct store *s, struct strv *ret, struct err *e);

struct store_image {
	char *name;
	struct digest manifest, config; /* of the documents */
	char *created, *os, *arch;      /* as the config says; "" when it does not */
	VEC(struct store_layer) layers; /* topmost first */
};

/*
 * The image's layer directories as absolute paths, topmost first, and (specs may be NULL) the mtree
 * specification of each, in the same order. -ENOENT names the images that there are. The layers
 * stay until store_close(), whoever prunes.
 */
int store_image_layers(
	struct store *s, const char *name, struct strv *layers, struct strv *specs, struct err *e);

int store_image_read(struct store *s, const char *name, struct store_image *ret, struct err *e);

void store_image_done(struct store_image *i);

/* Remove an image at once; its layers stay until they are pruned. -ENOENT as above. */
int store_image_remove(struct store *s, const char *name, struct err *e);

/* The lines of images/NAME/layers without their "layers/", validated. */
int store_image_dirs(struct store *s, const char *name, struct strv *ret, struct err *e);

#endif
