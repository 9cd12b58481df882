/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_KEYED_HASH_H
#define BASE_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"

/*
 * A hash of names for tables in memory. The key is random, so that names cannot be chosen to
 * collide. It is of no use for anything that is stored.
 */
struct hash_key {
	uint64_t word[2];
};

/* Make a key. Returns 0 or -EIO, if the kernel has no random bytes. */
MUST_CHECK int hash_key_new(struct hash_key *ret);

/* The hash of seed, any number, and of n bytes. */
uint64_t keyed_hash(const struct hash_key *key, uint64_t seed, const char *p, size_t n);

#endif
