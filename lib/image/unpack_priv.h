/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_UNPACK_PRIV_H
#define IMAGE_UNPACK_PRIV_H

#include <pthread.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../tar/blob.h"
#include "../tar/members.h"
#include "unpack.h"

/*
 * One run of unpack_image() or unpack_flat(). unpack.c reads the layers of a source concurrently,
 * each into its own directory. unpack_store.c then publishes them one by one, unpack_flat.c merges
 * them into one tree.
 */

struct lower_walk;
struct store_staging;
struct staged_layer;

enum unpack_plan {
	PLAN_READ,   /* unpack it */
	PLAN_LATER,  /* the store may have it: decide when the layers below are known */
	PLAN_STORED, /* use the one in the store */
	PLAN_SAME,   /* use an earlier layer of this image */
};

struct unpack_layer {
	const struct source_layer *src;
	size_t i;
	enum unpack_plan plan;
	struct layer *layer;
	struct layer_counts counts;
	struct members members; /* of a plain layer */
	struct blob_result sums;
	bool split; /* its tar-split was written to split_dirfd */
	struct digest diff_id;
	struct buf deps; /* on lower layers */
	struct id_use ids;
	char *dir;   /* PLAN_STORED: its name below layers/ */
	size_t same; /* PLAN_SAME: index of that layer */
	int fd;      /* the finished directory; or -1 */
	bool root_opaque;
	struct progress_item *item;
};

struct unpack_work {
	const struct source *src;
	const struct unpack_options *opts;
	int dirfd;       /* the directory in which layers are made, as "0", "1", ...; borrowed */
	int split_dirfd; /* the directory for tempdir_entry(i, STORE_TAR_SPLIT); -1: none is written
	                  */
	struct unpack_layer *layers;
	size_t n_layers;
	struct layer_totals totals; /* of a flat tree */
	int failed;                 /* atomic: a layer has failed, so the workers stop reading */

	pthread_mutex_t lock; /* protects the members below */
	size_t *order;
	size_t n_order, next;
	int result;
	struct err err;
};

struct store_unpack {
	struct unpack_work w;
	struct store *store;
	struct store_staging *staging;
	int *stack_fds; /* scratch space for unpack_layers_below() */
	struct staged_layer *staged;
	size_t n_staged;
	size_t *staged_of; /* index in staged, by layer */
	size_t stack_len;  /* number of directories in the published stack */
};

/* The layers below layer i, topmost first, down to the first one with an opaque root. */
struct lower unpack_layers_below(struct store_unpack *s, size_t i);

/*
 * Look for a layer of the store with the content that l would have on top of below. If there is
 * one, sets *ret to true and l->plan to PLAN_STORED.
 */
MUST_CHECK int unpack_try_stored(struct store_unpack *s, struct unpack_layer *l,
	struct lower_walk *below, bool *ret, struct err *e);

/* Initialise for all layers, with PLAN_READ. Call unpack_work_done() even after a failure. */
MUST_CHECK int unpack_work_init(struct unpack_work *w, const struct source *src,
	const struct unpack_options *opts, struct err *e);
void unpack_work_done(struct unpack_work *w);

/*
 * Read all layers with PLAN_READ: each then has its struct layer, not yet resolved, in the
 * directory tempdir_entry(i) of w->dirfd.
 */
MUST_CHECK int unpack_read(struct unpack_work *w, struct err *e);

/* Read one layer on the calling thread. */
MUST_CHECK int unpack_read_layer(struct unpack_work *w, struct unpack_layer *l, struct err *e);

/*
 * Refuse a plain layer that has no entry, since the program that should have written it may have
 * failed, or that is the archive of an image and was not declared a layer. m and bytes, the number
 * of uncompressed bytes, are what was read of it.
 */
MUST_CHECK int unpack_check_plain(
	const struct source_layer *l, const struct members *m, uint64_t bytes, struct err *e);

/* Report a layer's new state (enum progress_state) and counts to opts->progress. */
void unpack_report(struct unpack_work *w, struct unpack_layer *l, int state);

/* Report to opts->progress that all layers are unpacked, and are now written to disk. */
void unpack_writing(const struct unpack_work *w);

/* Report to opts->progress that the set of layers changed. */
void unpack_redraw(struct unpack_work *w);

/* Prefix e with the names of the image and the layer; returns r. */
int unpack_name_layer(
	const struct unpack_work *w, const struct unpack_layer *l, int r, struct err *e);

/* Sum up the counts of the layers that were read; ret->layers is the number of all. */
void unpack_sum_up(const struct unpack_work *w, struct unpack_result *ret);

#endif
