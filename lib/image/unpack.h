/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_UNPACK_H
#define IMAGE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/progress.h"
#include "../base/vec.h"
#include "../layer/layer.h"
#include "../source/source.h"
#include "../store/store.h"
#include "../store/store_base.h"

/*
 * Unpack an image into a store. The layers are read concurrently, the largest first, each by a
 * worker with its own decompression thread. Then, from the lowest layer up, each is resolved
 * against the layers below it (layer/layer.h). Finally the layers are published, then the image.
 *
 * A layer that the store has is not read again: it was verified when it was published.
 */
struct unpack_options {
	const char *name;         /* of the image; valid for store_image_name_check() */
	const struct strv *names; /* all names; those besides name are of the same image; or NULL */
	uint32_t jobs;            /* number of concurrent layers; 0: one per processor */
	bool tar_split;           /* write what podman needs to save the image */
	bool sync;                /* write everything to disk before publishing */
	struct layer_options layer; /* counts is ignored */
	struct progress *progress;  /* or NULL */
};

struct unpack_result {
	size_t layers;                       /* in the image's stack */
	size_t unpacked, shared;             /* of the source's layers */
	uint64_t entries, bytes, blob_bytes; /* of the unpacked layers, like the next members */
	uint64_t devices, unmapped;          /* omitted, or given other owners: layer_counts */
	bool replaces; /* of a flat tree: the target has content, which is removed */
};

/*
 * Unpack into the store. The process must have called layer_process_prepare(). A failure leaves the
 * store as it was; e names the image, the layer and the entry. -ECANCELED: stop_ask() (base/stop.h)
 * was called.
 */
MUST_CHECK int unpack_image(struct store *s, const struct source *src,
	const struct unpack_options *opts, struct unpack_result *ret, struct err *e);

/* A directory outside of any store. */
struct flat_target {
	const char *dir;         /* see publish_dir_find() */
	bool replace;            /* a directory that is not empty may be replaced */
	bool open_to_all;        /* allow what open_place.h refuses */
	const struct idmap *map; /* the tree is stored as the image would be seen through this map;
	                            NULL: with the image's ids */
};

/*
 * Unpack an image into one directory, with its layers merged. The limits apply to all layers
 * together; opts->name is for messages. The directory appears in one step when everything has
 * succeeded; a failure leaves it as it was. -EOVERFLOW: the map does not cover an id of the image.
 * -EPERM: see open_place.h. A map needs a filesystem that supports ID-mapped mounts, and
 * CAP_SYS_ADMIN over it. With opts->layer.dry, the layers are read and nothing is written.
 */
MUST_CHECK int unpack_flat(const struct flat_target *to, const struct source *src,
	const struct unpack_options *opts, struct unpack_result *ret, struct err *e);

/* What unpack_image() would do with a layer of the source. */
enum unpack_state {
	UNPACK_READ,
	UNPACK_SHARED,  /* the store has the layer, which would not be read */
	UNPACK_UNKNOWN, /* the layer depends on layers below that the store does not have */
};

/*
 * For a dry run: find out what unpack_image() would do with each layer, read those that it might
 * read, and write nothing. store may be NULL: it would be made. states has an item for each layer
 * of the source. opts->layer.dry must be set. Returns 0, or the errors of unpack_image() about the
 * layers' content.
 */
MUST_CHECK int unpack_trial(struct store *store, const struct source *src,
	const struct unpack_options *opts, enum unpack_state *states, struct unpack_result *ret,
	struct err *e);

/* Adapt options to a store with this base: map is filled, and must live as long as o. */
MUST_CHECK int unpack_use_base(
	const struct store_base *b, struct idmap *map, struct layer_options *o, struct err *e);

/*
 * Fail with -ENOSPC if the filesystem of dir has less free space, or fewer free inodes, than need
 * requires. If dir does not exist, the nearest directory above it counts. Facts that cannot be read
 * are not an error.
 */
MUST_CHECK int unpack_check_space(const char *dir, const struct unpack_result *need, struct err *e);

/* Add to the error about a full disk what is free in dir, and the size of the image's layers. */
void unpack_explain_space(const char *dir, const struct source *src, struct err *e);

#endif
