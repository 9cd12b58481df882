/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_PLAN_H
#define STORE_STORE_PLAN_H

#include "../base/err.h"
#include "../mount/plan.h"
#include "store.h"

/*
 * The plan was made for layers of this store, which are to be found there when it is carried out.
 * Where the store has a base, the disk ids of the layers are not those of the image, which the
 * plan's map speaks of. Makes it right.
 */
int store_plan(struct mount_plan *p, const struct store *s, struct err *e);

#endif
