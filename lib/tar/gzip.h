/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_GZIP_H
#define TAR_GZIP_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/cleanup.h"
#include "gunzip.h"

/*
 * Compress to a file, as one member of gzip (RFC 1952), quickly rather than well: by ISA-L, where
 * the build found it, else by zlib.
 */
struct gzip;

/* What can compress. */
struct gzip_library {
	const char *name;

	/* Returns the state of an encoder, or NULL without memory. */
	void *(*open)(void);

	/*
	 * Compress until the input is used up or the output is full. end: no more input will come.
	 * Returns true if all has been written that can be written.
	 */
	bool (*run)(void *state, struct gunzip_io *io, bool end);

	void (*free)(void *state); /* accepts NULL */
};

/* All that this build has, the fastest first; NULL is the last. */
extern const struct gzip_library *const gzip_all[];

/*
 * Begin to write to fd, which must stay open until gzip_end(). Returns NULL without memory; free it
 * with gzip_free().
 */
struct gzip *gzip_new(const struct gzip_library *l, int fd);

/* Compress n bytes; gzip_end(): no more will come. Return 0, or -errno of write(2), without an err.
 */
MUST_CHECK int gzip_add(struct gzip *g, const void *p, size_t n);
MUST_CHECK int gzip_end(struct gzip *g);

void gzip_free(struct gzip *g);

#endif
