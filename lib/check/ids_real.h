/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_IDS_REAL_H
#define CHECK_IDS_REAL_H

#include <stdint.h>

#include "meta.h"

/* What this process must know about itself to interpret an overflow id. */
struct ids_real {
	uint32_t overflow_uid, overflow_gid;
	uint32_t euid;
	bool initial; /* it is in the initial user namespace */
};

/*
 * Fill *ret for this process. Without /proc, the kernel's default overflow ids are assumed, and a
 * user namespace other than the initial one.
 */
void ids_real_init(struct ids_real *ret);

/*
 * Find the ids of m, the inode of name in dirfd ("": of dirfd itself), that are shown as the
 * overflow id and may really be ids without a number in this user namespace. The answers of
 * faccessat2(2) can rule that out. Returns a mask of META_UID and META_GID.
 */
unsigned ids_real_doubt(
	const struct ids_real *i, int dirfd, const char *name, const struct meta *m);

#endif
