/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_LAYER_H
#define STORE_STORE_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/id_spans.h"
#include "../layer/layer_marks.h"
#include "../tar/digest.h"

struct store;

/* The content of NAME.json. */
struct store_layer {
	char *dir;               /* the layer's name below layers/ */
	uint64_t entries, bytes; /* in the archive; bytes of file data */
	uint64_t tar_size;       /* of the archive, in bytes; 0: not known */
	bool root_opaque;        /* the layer hides all layers below it */
	bool unmarked;           /* it hides names by whiteouts alone; false for a layer that an
	                            older version unpacked: store_layer_marks() */
	bool ids_known;          /* false for a layer that an older version unpacked */
	struct id_use ids;       /* of its files, as the image has them */
};

/* Is name "sha256-" and 64 hexadecimal digits, optionally followed by a dot and 16 more? */
bool store_layer_name_ok(const char *name);

/* Append the names below layers/ of the directories that hold the layer with this diff_id. */
MUST_CHECK int store_layer_find(
	const struct store *s, const struct digest *diff_id, struct strv *ret, struct err *e);

/* Append the content of NAME.lower, the layer's dependencies; nothing if it has none. */
MUST_CHECK int store_layer_deps(
	const struct store *s, const char *dir, struct buf *ret, struct err *e);

/* Read a layer's NAME.json. Free *ret with store_layer_done(). */
MUST_CHECK int store_layer_read(
	const struct store *s, const char *dir, struct store_layer *ret, struct err *e);
void store_layer_done(struct store_layer *l);

/* Count the marks of a layer that hide lower layers (layer/layer_marks.h). */
MUST_CHECK int store_layer_marks(
	const struct store *s, const struct store_layer *l, struct layer_marks *ret, struct err *e);

/*
 * Open a layer's directory (O_PATH), or a specification for reading, by its path as of
 * store_image_layers(). Only the last component is used: the file is opened in this store's
 * layers/. The caller closes *ret_fd.
 */
MUST_CHECK int store_layer_open(
	const struct store *s, const char *path, int *ret_fd, struct err *e);
MUST_CHECK int store_layer_open_spec(
	const struct store *s, const char *path, int *ret_fd, struct err *e);

/* The suffix of what tar/tar_split.h writes. */
#define STORE_TAR_SPLIT ".tar-split.gz"

/* The suffixes of the files beside a layer's directory, ended by NULL. */
extern const char *const store_layer_sidecars[];

/*
 * Remove files of layers whose directory does not exist: a process was killed before it renamed the
 * directory. Remove also the links of layers whose directory is gone from podman/. The caller holds
 * the exclusive lock on images/.
 */
MUST_CHECK int store_layer_sweep(const struct store *s, struct err *e);

/* Add to the error about a damaged file beside a layer how the layer is replaced. */
void store_layer_say_try(const char *dir, struct err *e);

#endif
