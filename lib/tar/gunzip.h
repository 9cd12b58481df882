/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_GUNZIP_H
#define TAR_GUNZIP_H

#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"

/*
 * What can decompress a member of a gzip file (RFC 1952): ISA-L, which is three times as fast,
 * where the build found it, and zlib everywhere. Both check header, CRC-32 and length, give the
 * same bytes and refuse the same streams (tests/unit/tar_gunzip_test.c).
 */
struct gunzip_io {
	const uint8_t *in; /* what is not used yet; a call of run() advances it */
	size_t in_n;
	uint8_t *out; /* where the next bytes go; a call of run() advances it */
	size_t out_n;
};

struct gunzip {
	const char *name; /* of the library */

	/* Returns the state of a decoder at the start of a member, or NULL without memory. */
	void *(*open)(void);

	/*
	 * Decompress until the input is used up, the output is full, or the member has ended.
	 * Returns 1 if it has ended, 0 if not, or -errno with e filled (-EBADMSG, -ENOMEM).
	 */
	int (*run)(void *state, struct gunzip_io *io, struct err *e);

	/* After an end: prepare for another member. */
	void (*restart)(void *state);

	void (*free)(void *state); /* accepts NULL */
};

/* All that this build has, the fastest first; NULL is the last. */
extern const struct gunzip *const gunzip_all[];

#endif
