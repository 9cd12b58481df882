/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_NAME_SET_H
#define TAR_NAME_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/keyed_hash.h"

/*
 * A set of names, of which 64 bits of a hash are kept: 16 to 32 bytes of memory each. A name may
 * be taken for another one that was added, but never one that was added for a new one.
 * Zero-initialise, free with name_set_done().
 */
struct name_set {
	uint64_t *slots; /* 0: free */
	size_t n, room;  /* room: a power of 2, or 0 */
	struct hash_key key;
};

/* Add a name of n bytes. Sets *ret_new to whether it was not in the set. Returns 0 or -errno. */
MUST_CHECK int name_set_add(
	struct name_set *s, const char *name, size_t n, bool *ret_new, struct err *e);
void name_set_done(struct name_set *s);

#endif
