/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_SUBID_UNUSED_H
#define IDMAP_SUBID_UNUSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"

/*
 * Find count ids that no line of these two files (SUBUID_FILE and SUBGID_FILE; subuid(5)) grants,
 * and no account of the host has: the first ones above all of them, and not below 100000, where
 * useradd(8) begins. A file that cannot be read counts as empty. Returns false if there are none.
 */
bool subid_unused(const char *uids, const char *gids, uint32_t count, uint32_t *ret_start);

/*
 * Say how root grants a user 65536 ids that are unused: "usermod --add-subuids 493216-558751 ...".
 */
void subid_try_grant(const char *user, struct err *e);

/* Say which map root can write without a grant: "+493216". */
void subid_try_range(struct err *e);

#endif
