/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_PRIV_H
#define STORE_STORE_PRIV_H

#include "../base/buf.h"
#include "../base/lock.h"
#include "store.h"
#include "store_base.h"
#include "store_mount.h"
#include "tempdir_mapped.h"

/* For the areas store and image alone. */

struct store {
	char *path; /* absolute */
	int fd, layers, images, tmp;
	struct store_base base;
	bool layers_locked;
	struct store_locks *locks;
	struct store_mounted *mounted; /* of store_prune_begin(); or NULL */
};

/*
 * In a user namespace: are the ids that the store was filled with (STORE/ids, a map) stored as the
 * same ones now? With write they must be (-EPERM), and the file is written when it is not there or
 * there are more ids now; otherwise a difference is warned of.
 */
int store_ids_check(const struct store *s, bool write, struct err *e);

/*
 * Set s->base from the file, or to what is wanted (may be NULL): -EEXIST when the file says
 * something else.
 */
int store_base_choose(struct store *s, const struct store_base *want, struct err *e);

/*
 * Note s->base in the store if that has none yet: -ENOTEMPTY when it has layers already. Takes the
 * lock on images/.
 */
int store_base_write(const struct store *s, struct err *e);

/* Would it be noted? 1, 0 when there is one, or why not. Changes nothing. */
int store_base_may_write(const struct store *s, struct err *e);

/* Under the lock on images/: has the store still the base that we work with? */
int store_base_check(const struct store *s, struct err *e);

struct store_staging {
	struct store *store;
	char *path; /* of the store's tmp/, for messages */
	struct tempdir tempdir;
	struct tempdir_mapped mapped; /* of a store with a base */
	unsigned discarded;
};

#endif
