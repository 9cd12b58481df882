/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_IMAGE_H
#define STORE_STORE_IMAGE_H

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "../tar/digest.h"
#include "store.h"
#include "store_layer.h"

/*
 * -EINVAL if name cannot be the name of an image: it must be a path component of 1 to 200
 * characters of [A-Za-z0-9._+:@=~%-] that does not begin with a dot or dash, or a whole reference
 * (source/reference.h).
 */
MUST_CHECK int store_image_name_check(const char *name, struct err *e);

/*
 * As store_image_name_check(), for an image that is not stored yet: -EINVAL, too, if the name
 * begins with the prefix of a source, such as "oci:" or "image:". Options that take a source or an
 * image could not tell such a name from a source. Older stores may hold such names.
 */
MUST_CHECK int store_image_name_check_new(const char *name, struct err *e);

/*
 * The name of an image's directory in images/: its name, with "%2F" in place of each slash. Returns
 * 0 or the error of store_image_name_check().
 */
enum { STORE_IMAGE_FILE = 256 };
MUST_CHECK int store_image_file(const char *name, char ret[static STORE_IMAGE_FILE], struct err *e);

/* Append the names of all images, sorted. */
MUST_CHECK int store_image_list(struct store *s, struct strv *ret, struct err *e);

struct store_image {
	char *name;
	struct digest manifest, config; /* of the documents */
	char *created, *os, *arch;      /* from the configuration; "" if it has none */
	VEC(struct store_layer) layers; /* topmost first */
};

/*
 * Append the absolute paths of the image's layer directories, topmost first, and, unless specs is
 * NULL, of their mtree specifications in the same order. On -ENOENT, e lists the images that exist.
 * The layers cannot be pruned until store_close().
 */
MUST_CHECK int store_image_layers(
	struct store *s, const char *name, struct strv *layers, struct strv *specs, struct err *e);

/* Read what the store knows about an image. Free *ret with store_image_done(). */
MUST_CHECK int store_image_read(
	struct store *s, const char *name, struct store_image *ret, struct err *e);
void store_image_done(struct store_image *i);

/* Append the bytes of the image's manifest and configuration. Returns 0 or -errno with e filled. */
MUST_CHECK int store_image_documents(struct store *s, const char *name, struct buf *ret_manifest,
	struct buf *ret_config, struct err *e);

/*
 * Check that the image's documents are there and valid, and that config.json has the digest that
 * manifest.json names. e->on is the name of the document.
 */
MUST_CHECK int store_image_check(struct store *s, const char *name, struct err *e);

/*
 * Remove an image in one step. Its layers remain until they are pruned. A damaged image can be
 * removed, too. On -ENOENT, e lists the images that exist.
 */
MUST_CHECK int store_image_remove(struct store *s, const char *name, struct err *e);

/*
 * Append the names below layers/ of the image's layers, topmost first, from images/NAME/layers.
 * Unless the caller holds the lock on images/, another process may be replacing the image. -ENOENT:
 * there is no such image; -EINVAL: the list is damaged.
 */
MUST_CHECK int store_image_dirs(struct store *s, const char *name, struct strv *ret, struct err *e);

#endif
