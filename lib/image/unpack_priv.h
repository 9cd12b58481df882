/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_UNPACK_PRIV_H
#define IMAGE_UNPACK_PRIV_H

#include <pthread.h>

#include "../base/buf.h"
#include "blob.h"
#include "unpack.h"

/* One run of unpack_image(), for unpack*.c alone. */

struct staging;
struct staged_layer;

enum plan {
	READ,     /* unpack it at once */
	LATER,    /* there is one, perhaps the right one: known when the layers below are */
	TAKEN,    /* from the store */
	SAME,     /* as an earlier layer of this image */
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
	char *dir;                /* TAKEN: its name below layers/ */
	size_t same;              /* SAME: as which */
	int fd;                   /* its directory, once finished; or -1 */
	bool root_opaque;
	struct progress_item *item;
};

struct work {
	struct store *store;
	const struct source *src;
	const struct unpack_options *opts;
	struct staging *staging;
	struct job *jobs;
	size_t n;
	int *stack_fds;           /* scratch for the layers below one */
	struct staged_layer *staged;
	size_t n_staged;
	size_t *staged_of;        /* by job */

	pthread_mutex_t lock;     /* for what follows */
	size_t *order;
	size_t n_order, next;
	int result;
	struct err err;
};

/* All layers are settled: put them and the image into the store. */
int work_publish(struct work *w, struct err *e);

/* What a published run has done. */
void work_sum_up(const struct work *w, struct unpack_result *ret);

#endif
