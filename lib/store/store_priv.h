/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_PRIV_H
#define STORE_STORE_PRIV_H

#include "../base/buf.h"
#include "../base/lock.h"
#include "store.h"
#include "store_base.h"
#include "store_mount.h"
#include "tempdir_mapped.h"

struct store {
	char *path;      /* absolute */
	bool is_default; /* no path was given */
	int fd, layers, images, tmp;
	struct store_base base;
	bool links;                    /* the store's format allows links in layers/ */
	bool layers_locked;            /* by store_lock_layers() */
	struct store_locks *locks;     /* store_lock.c */
	struct store_mounted *mounted; /* set by store_prune_begin(); or NULL */
};

struct store_staging {
	struct store *store;
	char *path; /* of the store's tmp/, for messages */
	struct tempdir tempdir;
	struct tempdir_mapped mapped; /* in a store with a base */
	unsigned discarded;           /* number of entries that were renamed here to be removed */
};

/*
 * Append the content of the file STORE/NAME, of at most max bytes. Returns 1, 0 if there is no such
 * file, or -errno with e filled.
 */
MUST_CHECK int store_read_file(
	const struct store *s, const char *name, size_t max, struct buf *ret, struct err *e);

/*
 * In a user namespace: check that the ids with which the store was filled (STORE/ids, a map) are
 * still stored as the same disk ids. If write, a difference is an error (-EPERM), and the file is
 * written if it does not exist or more ids are available now; otherwise a difference is logged as a
 * warning.
 */
MUST_CHECK int store_ids_check(const struct store *s, bool write, struct err *e);

/*
 * Set s->base to that of STORE/base or, if the file does not exist, to want, which may be NULL.
 * -EEXIST if the file has another base than want.
 */
MUST_CHECK int store_base_choose(struct store *s, const struct store_base *want, struct err *e);

/*
 * Write s->base to STORE/base unless the file exists. -ENOTEMPTY if the store has layers already.
 * Acquires the lock on images/.
 */
MUST_CHECK int store_base_write(const struct store *s, struct err *e);

/*
 * Would store_base_write() write the file? 1, 0 if it exists, or the error with which it would
 * fail. The function changes nothing.
 */
MUST_CHECK int store_base_may_write(const struct store *s, struct err *e);

/*
 * -EBUSY if STORE/base has changed since the store was opened. The caller holds the lock on
 * images/.
 */
MUST_CHECK int store_base_check(const struct store *s, struct err *e);

/*
 * Check the number of the store's format (STORE/format), and set s->links. -EPROTONOSUPPORT: a
 * newer version made the store; the error names it. A store without the file has the first format.
 */
MUST_CHECK int store_format_check(struct store *s, struct err *e);

/*
 * Write STORE/format in a new store. Call it before anything is stored whose form that number
 * describes.
 */
MUST_CHECK int store_format_write(const struct store *s, struct err *e);

/*
 * Give the store the second format, unless it has it, before the first link is made in layers/. The
 * caller holds the exclusive lock on images/.
 */
MUST_CHECK int store_format_allow_links(struct store *s, struct err *e);

/*
 * Say that a file of the store is damaged. name: STORE/name; why: what it must have. Returns
 * -EBADMSG with e filled.
 */
MUST_CHECK int store_file_damaged(
	const struct store *s, const char *name, const char *why, struct err *e);

#endif
