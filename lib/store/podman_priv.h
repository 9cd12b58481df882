/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_PODMAN_PRIV_H
#define STORE_PODMAN_PRIV_H

#include <stdint.h>
#include <stdlib.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../tar/digest.h"
#include "podman.h"
#include "podman_maps.h"

struct store_staging;

enum {
	PODMAN_ID = 65,   /* 64 hexadecimal digits and NUL */
	PODMAN_LINK = 27, /* 26 letters and NUL */
	PODMAN_TIME = 24, /* "2026-01-02T03:04:05Z" and NUL */
};

/* A layer on its way down to the lowest one. */
struct podman_layer {
	char id[PODMAN_ID], parent[PODMAN_ID]; /* parent: "" for the lowest one */
	char link[PODMAN_LINK];                /* its name in overlay/l */
	char dir[128];                         /* its name below layers/ */
	char blob[DIGEST_TEXT];                /* digest of the blob, as the manifest has it */
	uint64_t blob_size, tar_size;          /* bytes */
	uint64_t compression;                  /* a number of containers-storage */
	char created[PODMAN_TIME];             /* of the image; "": not known */
	bool used;                             /* by an image */
};

struct podman_layers {
	struct podman_layer *items;
	size_t len, cap;
};

/* An image of the store as podman needs it. */
struct podman_image {
	char *name, *reference; /* as of struct podman_answer */
	bool own;               /* the reference is the name itself */
	enum podman_why why;
	struct buf manifest, config; /* the documents for podman */
	struct digest manifest_digest;
	char id[PODMAN_ID];
	char created[PODMAN_TIME];
	struct podman_layers chain; /* lowest first */
};

struct podman_images {
	struct podman_image *items;
	size_t len, cap;
};

/* podman_image.c: read images/NAME. Damaged documents set why. 0 or -errno. */
MUST_CHECK int podman_image_read(
	struct store *s, const char *name, struct podman_image *ret, struct err *e);
void podman_image_done(struct podman_image *i);

static inline void podman_images_done(struct podman_images *v)
{
	for (size_t i = 0; i < v->len; i++)
		podman_image_done(&v->items[i]);
	free(v->items);
}

/*
 * podman_docs.c: the texts of files. All return 0 or -ENOMEM with e filled. maps: those under which
 * the index has each layer besides, with their ids if with_ids; or NULL. Images name the layers of
 * maps that are mounted.
 */
MUST_CHECK int podman_print_layers(const struct podman_layers *layers,
	const struct podman_maps *maps, bool with_ids, struct buf *ret, struct err *e);
MUST_CHECK int podman_print_images(const struct podman_images *images,
	const struct podman_maps *maps, struct buf *ret, struct err *e);

/*
 * podman_shapes.c: 0, or -EINVAL with e filled if podman would fail to read the document, which
 * spoils podman's list of all images.
 */
struct json;
MUST_CHECK int podman_check_config(const struct json *config, struct err *e);
MUST_CHECK int podman_check_manifest(const struct json *manifest, struct err *e);

/* The record of a layer in STORE/podman-layers. Reading returns -EBADMSG for a damaged one. */
MUST_CHECK int podman_print_record(const struct podman_layer *l, struct buf *ret, struct err *e);
MUST_CHECK int podman_read_record(
	const char *text, size_t n, const char *id, struct podman_layer *ret, struct err *e);

/* The name of the file that holds the big data of this key, in overlay-images/ID. 0 or -ENOMEM. */
MUST_CHECK int podman_data_file(const char *key, struct buf *ret, struct err *e);

/* podman_names.c: the name of the layer's link in overlay/l. */
const char *podman_link(const char *id, char buf[static PODMAN_LINK]);

/*
 * The id and the link of the layer with this id, under the map with this text. All links of a layer
 * begin with the same letters.
 */
const char *podman_map_id(const char *text, const char *id, char buf[static PODMAN_ID]);
const char *podman_map_link(const char *text, const char *id, char buf[static PODMAN_LINK]);

/* Compare links, or the links of layers under any map, by their layers. */
int podman_link_compare(const char *a, const char *b);

/*
 * podman_tree.c: make ID/ in the directory to, with diff, link, lower and work. chain has the layer
 * at i and those below it. With take, diff is the link that podman_take() exchanges for the layer's
 * directory; else it is a tree of directories, and of hard links to the other files.
 */
MUST_CHECK int podman_tree_make(const struct store *s, int to, const struct podman_layers *chain,
	size_t i, bool take, struct err *e);

/* A layer of the store whose directory podman's layer has (mount/stored_layer.h). */
struct podman_held {
	char dir[128]; /* its name below layers/, where there is a link */
	char id[PODMAN_ID];
};

struct podman_held_list {
	struct podman_held *items;
	size_t len, cap;
};

/* podman_held.c: replace the list by what layers/ has now. Free items afterwards. */
MUST_CHECK int podman_read_held(const struct store *s, struct podman_held_list *ret, struct err *e);
const struct podman_held *podman_find_held(const struct podman_held_list *v, const char *id);

/*
 * Does podman's layer with this id have the directory of the layer layers/DIR? 1, 0, or -errno with
 * e filled if that cannot be found out.
 */
MUST_CHECK int podman_holds(const struct store *s, const char *id, const char *dir, struct err *e);

/*
 * Exchange layers/DIR, a directory, and overlay/ID/diff, a link, or move the directory back. At
 * every moment, both names lead to it. The caller holds the exclusive lock on images/. -EXDEV,
 * -EBUSY and -EINVAL: this directory cannot be moved (project quotas, a mount on it, a filesystem
 * without RENAME_EXCHANGE).
 */
MUST_CHECK int podman_take(
	const struct store *s, int overlay, const struct podman_held *h, bool sync, struct err *e);
MUST_CHECK int podman_give_back(
	const struct store *s, int overlay, const struct podman_held *h, struct err *e);

/* Layers of an image that are made for podman, and then published. */
struct podman_adoption {
	const char *name; /* of the image */
	bool again;       /* the layers that were made are not good any more */
	bool trees;       /* directories of layers cannot be moved: make trees of links */
};

/*
 * podman_make.c: make what podman lacks of the image, in the staging directory. Acquires the lock
 * on images/. *ret_made: the number of layers that podman lacked. An image that podman cannot use,
 * and a filesystem that refuses the links, are not errors.
 */
MUST_CHECK int podman_make_missing(struct store_staging *st, const struct podman_adoption *a,
	bool sync, size_t *ret_made, struct err *e);

/* podman_state.c: what STORE/podman has. The layer with this id, or NULL. */
struct podman_layer *podman_find(const struct podman_layers *v, const char *id);

/* Append the layers that STORE/podman has, from their records. */
MUST_CHECK int podman_read_layers(const struct store *s, struct podman_layers *ret, struct err *e);

/*
 * Read all images, sorted by name, and take away references that another image has. The caller
 * holds a lock on images/.
 */
MUST_CHECK int podman_read_images(struct store *s, struct podman_images *ret, struct err *e);

/* Set why of an image, if podman has not all its layers, or something else of them is missing. */
void podman_judge(
	const struct store *s, struct podman_image *i, const struct podman_layers *layers);

/*
 * podman_write.c: write the files of the images (overlay-images/ID), then images.json. The image
 * whose manifest podman has comes first of those with one id.
 */
MUST_CHECK int podman_write_images(const struct store_staging *st, int podman,
	struct podman_images *images, bool sync, struct err *e);
MUST_CHECK int podman_write_layers(const struct store_staging *st, int podman,
	const struct podman_layers *layers, bool sync, struct err *e);

/* Write the file, in the staging directory, and rename it to name in dirfd. */
MUST_CHECK int podman_put(const struct store_staging *st, int dirfd, const char *name,
	const struct buf *text, bool sync, struct err *e);

/* Create the file in the directory, which lacks it. */
MUST_CHECK int podman_put_new(
	int dirfd, const char *name, const struct buf *text, bool sync, struct err *e);

/*
 * Make an empty store of podman, and rename it to path in dirfd. Without sync, the caller writes
 * what is in it to disk.
 */
MUST_CHECK int podman_make_empty(
	const struct store_staging *st, int dirfd, const char *path, bool sync, struct err *e);

/* Open STORE/podman, which is made if it does not exist. */
MUST_CHECK int podman_open(const struct store_staging *st, int *ret_fd, struct err *e);

/*
 * podman_maps.c: read STORE/podman-maps; without the file, there are none. The caller holds a lock
 * on images/. -EBADMSG: the file is damaged.
 */
MUST_CHECK int podman_maps_read(const struct store *s, struct podman_maps *ret, struct err *e);

/* The text of that file. 0 or -ENOMEM. */
MUST_CHECK int podman_maps_print(const struct podman_maps *maps, struct buf *ret, struct err *e);

/* Sort the list, as the other functions expect it. */
void podman_maps_sort(struct podman_maps *m);

/* The view that has the user and the text of key; NULL: there is none. */
struct podman_map *podman_maps_find(const struct podman_maps *m, const struct podman_map *key);

/*
 * podman.c: as podman_update(), with other maps than those in STORE/podman-maps. maps becomes
 * empty.
 */
MUST_CHECK int podman_update_maps(
	struct store_staging *st, struct podman_maps *maps, struct err *e);

/* podman_maps_write.c. All is borrowed. */
struct podman_maps_work {
	struct store_staging *st;
	int podman, links, splits; /* podman/, its overlay/l and overlay-layers */
	const struct podman_maps *maps;
	const struct podman_layers *layers;
	const struct podman_images *images;
	bool sync;
};

/*
 * Write the indexes of all users' stores; with images, first what they name, which podman/ has
 * already, and the index of the images.
 */
MUST_CHECK int podman_maps_write(const struct podman_maps_work *w, bool images, struct err *e);

/* Remove from the users' stores what their indexes of layers, or, with images, of both, lack. */
MUST_CHECK int podman_maps_sweep(const struct podman_maps_work *w, bool images, struct err *e);

/* The directory in a staging directory that has trees for podman. */
#define PODMAN_STAGED "podman"
#define PODMAN_DIR "podman"
#define PODMAN_RECORDS "podman-layers"
#define PODMAN_VIEWS "podman-maps"
#define PODMAN_MAPS "maps" /* in PODMAN_DIR */

#endif
