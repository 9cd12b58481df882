/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_INFO_PRIV_H
#define MOUNT_INFO_PRIV_H

#include "info.h"

struct lm_mount;

/*
 * For info*.c alone: what a line of mountinfo says, but for target and dev. 0 or -ENOMEM;
 * mount_info_done() it in either case.
 */
int mount_info_from_line(const struct lm_mount *m, struct mount_info *ret);

#endif
