/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_UNPACK_PRIV_H
#define IMAGE_UNPACK_PRIV_H

#include <pthread.h>

#include "../base/buf.h"
#include "../tar/blob.h"
#include "unpack.h"

/*
 * One run, for unpack*.c alone. unpack.c reads the layers of a source, several at a time, each into
 * a directory of its own; what becomes of them is the target's: unpack_store.c publishes them one
 * by one, unpack_flat.c makes one tree of them.
 */

struct store_staging;
struct staged_layer;

enum unpack_plan {
	PLAN_READ,   /* unpack it at once */
	PLAN_LATER,  /* there is one, perhaps the right one: known when the layers below are */
	PLAN_STORED, /* from the store */
	PLAN_SAME,   /* as an earlier layer of this image */
};

struct unpack_layer {
	const struct source_layer *src;
	size_t i;
	enum unpack_plan plan;
	struct layer *layer;
	struct layer_counts counts;
	struct blob_result sums;
	struct digest diff_id;
	struct buf deps;
	char *dir;   /* PLAN_STORED: its name below layers/ */
	size_t same; /* PLAN_SAME: as which */
	int fd;      /* its directory, once finished; or -1 */
	bool root_opaque;
	struct progress_item *item;
};

struct unpack_work {
	const struct source *src;
	const struct unpack_options *opts;
	int dirfd; /* where the layers are made, as "0", "1" ...; the target's */
	struct unpack_layer *layers;
	size_t n_layers;
	struct layer_totals totals; /* of a flat tree */
	int failed; /* atomic: a layer has, so that the others need not be read on */

	pthread_mutex_t lock; /* for what follows */
	size_t *order;
	size_t n_order, next;
	int result;
	struct err err;
};

/* What becomes of an image in the store. */
struct store_unpack {
	struct unpack_work w;
	struct store *store;
	struct store_staging *staging;
	int *stack_fds; /* scratch for the layers below one */
	struct staged_layer *staged;
	size_t n_staged;
	size_t *staged_of; /* index in staged, by layer */
	size_t stack_len;  /* directories in the published stack */
};

/* Sets up the layers, all to be PLAN_READ. unpack_work_done() must be called whatever it returns.
 */
int unpack_work_init(struct unpack_work *w, const struct source *src,
	const struct unpack_options *opts, struct err *e);
void unpack_work_done(struct unpack_work *w);

/*
 * Read the layers that are to be PLAN_READ: each job then has its layer, not settled, in the
 * directory "I" of w->dirfd.
 */
int unpack_read(struct unpack_work *w, struct err *e);

/* The same for one layer, on this thread. */
int unpack_read_layer(struct unpack_work *w, struct unpack_layer *l, struct err *e);

/* Tell who watches what became of a layer; its counts are taken over. */
void unpack_report(struct unpack_work *w, struct unpack_layer *l, int state);

/* The directory's listing changed: all bars are drawn anew. */
void unpack_redraw(struct unpack_work *w);

/* Add which image and layer it was to e; returns r. */
int unpack_name_layer(
	const struct unpack_work *w, const struct unpack_layer *l, int r, struct err *e);

/* What a published run has done. */
void unpack_sum_up(const struct unpack_work *w, struct unpack_result *ret);

#endif
