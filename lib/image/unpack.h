/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_UNPACK_H
#define IMAGE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"
#include "../base/progress.h"
#include "../layer/layer.h"
#include "../source/source.h"
#include "../store/store.h"

/*
 * Unpack an image into the store. The layers are read at the same time, each by a worker with a
 * decompression thread of its own, the largest first; then, from the base up, each asks those below
 * it what it must know (layer.h); then all are published, and the image last.
 *
 * A layer that the store has is not read again: its files were verified when they were published.
 */
struct unpack_options {
	const char *name;           /* the image's, valid (store_image_name_check()) */
	uint32_t jobs;              /* layers at a time; 0: one per processor */
	bool sync;                  /* write everything to disk before publishing */
	struct layer_options layer; /* counts is not used */
	struct progress *progress;  /* NULL: nobody watches */
};

struct unpack_result {
	size_t layers;                       /* in the image's stack */
	size_t unpacked, shared;             /* of the source's layers */
	uint64_t entries, bytes, blob_bytes; /* of those unpacked, as what follows */
	uint64_t devices, unmapped;          /* left out, or given to other owners: layer_counts */
};

/*
 * layer_process_prepare() must have been called. Any failure leaves the store as it was; e then
 * names image, layer and entry. stop_ask() (../base/stop.h) ends it: -ECANCELED.
 */
int unpack_image(struct store *s, const struct source *src, const struct unpack_options *opts,
	struct unpack_result *ret, struct err *e);

/* One tree, outside any store. */
struct flat_target {
	const char *dir;  /* absent or empty, unless ... */
	bool replace;     /* ... what is there may go: see publish_dir.h */
	bool open_to_all; /* files that give rights to others may be where others can reach them:
	                     see open_place.h */
	const struct idmap *map; /* the tree is on the disk as the image would be seen through it;
	                            NULL: as it is */
};

/*
 * Unpack an image into one directory, its layers applied one after another. The limits hold for all
 * layers together. opts->name is for messages. dir appears at once when all is right; any failure
 * leaves it as it was. Ids of the image that the map does not cover are refused by name
 * (-EOVERFLOW), and so is what open_place.h refuses (-EPERM). With a map it needs a filesystem that
 * supports ID-mapped mounts, and CAP_SYS_ADMIN over it. With opts->layer.dry nothing is written,
 * and layers are read only if what they hold could be refused in that place.
 */
int unpack_flat(const struct flat_target *to, const struct source *src,
	const struct unpack_options *opts, struct unpack_result *ret, struct err *e);

/* Would this layer be taken from the store? One that depends on those below it: perhaps, so no. */
int unpack_is_shared(const struct store *s, const struct source_layer *l, bool *ret, struct err *e);

#endif
