/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_LOCK_H
#define STORE_STORE_LOCK_H

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/lock.h"
#include "store.h"

/* What can be locked; store.h has the rules. */
enum store_part { STORE_LAYERS, STORE_IMAGES };

/* Allocate and free the state of the locks of an open store. */
MUST_CHECK int store_lock_new(struct store *s, struct err *e);
void store_lock_free(struct store *s);

/*
 * Lock a part of the store, or release the lock (LOCK_OFF, which cannot fail). A lock that is held
 * already is converted: to a shared one without a gap, to an exclusive one with a gap in which
 * other processes may acquire it. If it has to wait, it logs (log_info) for which process. -EINTR:
 * a signal arrived.
 */
MUST_CHECK int store_lock(
	const struct store *s, enum store_part part, enum lock_how how, struct err *e);

/* Acquire the shared lock on layers/ until store_close(), unless it is held already. */
MUST_CHECK int store_lock_layers(struct store *s, struct err *e);

#endif
