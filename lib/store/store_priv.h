/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_PRIV_H
#define STORE_STORE_PRIV_H

#include "../base/buf.h"
#include "../base/lock.h"
#include "store.h"
#include "store_base.h"

/* For the areas store and image alone. */

struct store {
	char *path; /* absolute */
	int fd, layers, images, tmp;
	struct store_base base;
	bool layers_locked;
	struct store_locks *locks;
	struct store_in_use *mounted; /* of store_prune_begin(); or NULL */
};

enum store_part { STORE_LAYERS, STORE_IMAGES };

/* What store_lock() needs, when the store is open. */
int store_locks_new(struct store *s, struct err *e);
void store_locks_free(struct store *s);

/*
 * Lock a part of the store, or let go of it (which does not fail). A lock that is had already is
 * changed: to a shared one without a gap, to an exclusive one with one. Says (log_info) that it
 * waits, when it must, and for whom. -EINTR: a signal came.
 */
int store_lock(const struct store *s, enum store_part part, enum lock_how how, struct err *e);

/* The shared lock on layers/, kept until store_close(). */
int store_hold_layers(struct store *s, struct err *e);

/*
 * The directories, finished ones only, that hold the layer with this diff_id; names below layers/.
 */
int store_find_layers(
	const struct store *s, const struct digest *diff_id, struct strv *ret, struct err *e);

/* NAME.lower ("" when there is none) and NAME.json. */
int store_layer_answers(const struct store *s, const char *dir, struct buf *ret, struct err *e);
int store_layer_read(
	const struct store *s, const char *dir, struct store_layer *ret, struct err *e);
void store_layer_done(struct store_layer *l);

/* The lines of images/NAME/layers without their "layers/", validated. */
int store_image_dirs(struct store *s, const char *name, struct strv *ret, struct err *e);

/* Is it "sha256-" and 64 digits, and perhaps a dot and 16 more? */
bool store_layer_name_ok(const char *name);

/*
 * Remove sidecar files without a directory: what a crash between two renames left. Needs the lock
 * on images/.
 */
int store_sweep_sidecars(const struct store *s, struct err *e);

/* What lies beside a layer's directory: ".mtree", ".lower", ".json"; NULL-terminated. */
extern const char *const store_sidecars[];

/*
 * The layers that are mounted, in any mount namespace that can be seen. Zero-initialise, free with
 * store_in_use_done().
 */
struct store_in_use {
	struct strv names;         /* as in layers/, of any store */
	struct store_mount untold; /* an image that is mounted and does not tell its layers; no
	                              target when all do */
};

int store_find_in_use(const struct store *s, struct store_in_use *ret, struct err *e);
void store_in_use_done(struct store_in_use *u);

/*
 * In a user namespace: are the ids that the store was filled with (STORE/ids, a map) stored as the
 * same ones now? With write they must be (-EPERM), and the file is written when it is not there or
 * there are more ids now; otherwise a difference is warned of.
 */
int store_ids_check(const struct store *s, bool write, struct err *e);

/* STORE/base, as it is now. */
int store_base_read(const struct store *s, struct store_base *ret, struct err *e);

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

/* The names in a directory, sorted, without "." and "..". */
int store_dir_list(int dirfd, const char *path, struct strv *ret, struct err *e);

#endif
