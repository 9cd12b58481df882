/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_PARTIAL_H
#define STORE_STORE_PARTIAL_H

#include <stdint.h>

#include "store.h"

/*
 * STORE/partial has what has arrived of blobs whose download was interrupted (registry/part.h). The
 * sweep of STORE/tmp does not touch it.
 */

/*
 * Open the directory, which is created if it does not exist, after removing the files that have not
 * changed for a week. The caller closes *ret_fd.
 */
MUST_CHECK int store_partial_open(struct store *s, int *ret_fd, struct err *e);

/*
 * Remove all files; with dry_run, none. *ret_bytes: their size. A download that is under way goes
 * on without its file.
 */
MUST_CHECK int store_partial_prune(
	struct store *s, bool dry_run, uint64_t *ret_files, uint64_t *ret_bytes, struct err *e);

#endif
