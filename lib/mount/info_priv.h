/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_INFO_PRIV_H
#define MOUNT_INFO_PRIV_H

#include "info.h"

struct lm_mount;

/*
 * For info*.c only: convert a line of mountinfo. Returns 0 or -ENOMEM. Call mount_info_done() in
 * either case.
 */
MUST_CHECK int mount_info_from_line(const struct lm_mount *m, struct mount_info *ret);

#endif
