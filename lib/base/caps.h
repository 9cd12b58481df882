/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_CAPS_H
#define BASE_CAPS_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"

/* The capability sets of the calling thread (capabilities(7)), as masks of CAP_BIT(CAP_x). */
struct caps {
	uint64_t effective, permitted, inheritable;
};

#define CAP_BIT(cap) (1ULL << (cap))

/* Read or set all three sets with capget(2) or capset(2). Both functions return 0 or -errno. */
MUST_CHECK int caps_get(struct caps *ret);
MUST_CHECK int caps_set(const struct caps *c);

/* Is cap (CAP_x) in the effective set? Returns false if the set cannot be read. */
bool caps_has(int cap);

#endif
