/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_LOCK_H
#define STORE_STORE_LOCK_H

#include "../base/err.h"
#include "../base/lock.h"
#include "store.h"

enum store_part { STORE_LAYERS, STORE_IMAGES };

/* What store_lock() needs, when the store is open. */
int store_lock_new(struct store *s, struct err *e);

void store_lock_free(struct store *s);

/*
 * Lock a part of the store, or let go of it (which does not fail). A lock that is had already is
 * changed: to a shared one without a gap, to an exclusive one with one. Says (log_info) that it
 * waits, when it must, and for whom. -EINTR: a signal came.
 */
int store_lock(const struct store *s, enum store_part part, enum lock_how how, struct err *e);

/* The shared lock on layers/, kept until store_close(). */
int store_lock_layers(struct store *s, struct err *e);

#endif
