/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_UPPER_USER_H
#define MOUNT_UPPER_USER_H

#include "../base/err.h"
#include "overlay_upper.h"

/*
 * Say in e's why and try which overlay uses the upper or the work directory: one of the caller's
 * mount namespace, or else of another one that the caller may inspect. It is known by the record of
 * the mount, or by its upperdir option if that has a path that leads there.
 */
void upper_user_explain(const struct upper_ids *ids, struct err *e);

#endif
