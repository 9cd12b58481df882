/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_IDS_REAL_H
#define CHECK_IDS_REAL_H

#include <stdint.h>

#include "meta.h"

/* What this process needs to know of itself to judge an overflow id. */
struct ids_real {
	uint32_t overflow_uid, overflow_gid;
	uint32_t euid;
	bool initial; /* it is in the initial user namespace */
};

/* Fill *ret with what this process is. Without /proc, the kernel's defaults are assumed, and
 * another user namespace. */
void ids_real_init(struct ids_real *ret);

/*
 * Which ids of m, which is name in dirfd ("": dirfd itself), are shown as the overflow id and may
 * be ids without a number for this process? What the kernel answers to faccessat2(2) is used to
 * rule that out. Returns a mask of META_UID and META_GID.
 */
unsigned ids_real_doubt(
	const struct ids_real *i, int dirfd, const char *name, const struct meta *m);

#endif
