/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_LAYER_H
#define STORE_STORE_LAYER_H

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "../tar/digest.h"
#include <stdbool.h>
#include <stdint.h>

struct store;

/* What is known of a layer beside its files. */
struct store_layer {
	char *dir;               /* its name below layers/ */
	uint64_t entries, bytes; /* in the archive; file data */
	bool root_opaque;        /* no layer below it is seen */
};

/*
 * The directories, finished ones only, that hold the layer with this diff_id; names below layers/.
 */
int store_layer_find(
	const struct store *s, const struct digest *diff_id, struct strv *ret, struct err *e);

/* NAME.lower ("" when there is none) and NAME.json. */
int store_layer_deps(const struct store *s, const char *dir, struct buf *ret, struct err *e);

int store_layer_read(
	const struct store *s, const char *dir, struct store_layer *ret, struct err *e);

void store_layer_done(struct store_layer *l);

/* Is it "sha256-" and 64 digits, and perhaps a dot and 16 more? */
bool store_layer_name_ok(const char *name);

/*
 * Remove sidecar files without a directory: what a crash between two renames left. Needs the lock
 * on images/.
 */
int store_layer_sweep(const struct store *s, struct err *e);

/* What lies beside a layer's directory: ".mtree", ".lower", ".json"; NULL-terminated. */
extern const char *const store_layer_sidecars[];

/*
 * Open a layer's directory (O_PATH), or a specification for reading, by its path as above: in the
 * store that was opened.
 */
int store_layer_open(const struct store *s, const char *path, int *ret_fd, struct err *e);

int store_layer_open_spec(const struct store *s, const char *path, int *ret_fd, struct err *e);

#endif
