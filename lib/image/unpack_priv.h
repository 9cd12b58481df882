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

enum plan {
	READ,  /* unpack it at once */
	LATER, /* there is one, perhaps the right one: known when the layers below are */
	TAKEN, /* from the store */
	SAME,  /* as an earlier layer of this image */
};

struct job {
	const struct source_layer *src;
	size_t i;
	enum plan plan;
	struct layer *layer;
	struct layer_counts counts;
	struct blob_result sums;
	struct digest diff_id;
	struct buf answers;
	char *dir;   /* TAKEN: its name below layers/ */
	size_t same; /* SAME: as which */
	int fd;      /* its directory, once finished; or -1 */
	bool root_opaque;
	struct progress_item *item;
};

struct work {
	const struct source *src;
	const struct unpack_options *opts;
	int stage; /* where the layers are made, as "0", "1" ...; the target's */
	struct job *jobs;
	size_t n;
	struct layer_totals totals; /* of a flat tree */
	int failed; /* atomic: a layer has, so that the others need not be read on */

	pthread_mutex_t lock; /* for what follows */
	size_t *order;
	size_t n_order, next;
	int result;
	struct err err;
};

/* What becomes of an image in the store. */
struct store_work {
	struct work w;
	struct store *store;
	struct store_staging *staging;
	int *stack_fds; /* scratch for the layers below one */
	struct staged_layer *staged;
	size_t n_staged;
	size_t *staged_of; /* by job */
};

/* Sets up the jobs, all to be READ. work_done() must be called whatever it returns. */
int work_init(
	struct work *w, const struct source *src, const struct unpack_options *opts, struct err *e);
void work_done(struct work *w);

/*
 * Read the layers that are to be READ: each job then has its layer, not settled, in the directory
 * "I" of w->stage.
 */
int work_read(struct work *w, struct err *e);

/* The same for one layer, on this thread. */
int work_read_layer(struct work *w, struct job *j, struct err *e);

/* Tell who watches what became of a layer; its counts are taken over. */
void work_tell(struct work *w, struct job *j, int state);

/* The directory's listing changed: all bars are drawn anew. */
void work_changed(struct work *w);

/* Add which image and layer it was to e; returns r. */
int work_name_layer(const struct work *w, const struct job *j, int r, struct err *e);

/* All layers are settled: put them and the image into the store. */
int work_publish(struct store_work *s, struct err *e);

/* What a published run has done. */
void work_sum_up(const struct store_work *s, struct unpack_result *ret);

#endif
