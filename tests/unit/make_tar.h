/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UNIT_MAKE_TAR_H
#define UNIT_MAKE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/err.h"

/*
 * One tar entry, which is written even if it is invalid. A field that is 0 gets the value for a
 * regular file that belongs to 0:0 and has mode 0644.
 */
struct tar_entry {
	const char *name;
	char type; /* '0' for 0 */
	const char *link, *data;
	size_t size; /* of data, if it is not a string */
	unsigned mode, uid, gid, major, minor;
	uint64_t mtime;
	const char *pax[6];  /* "key=value", each a record of an extended header before the entry */
	const char *raw_pax; /* the extended header's whole body */
	struct {
		size_t at;
		const char *bytes;
		size_t n;
	} patch; /* applied to the header before its checksum is computed */
	bool bad_sum;
};

void tar_add(struct buf *b, const struct tar_entry *t);

/* Make an archive of all entries up to one without a name, with the two blocks that end it. */
struct buf tar_make(const struct tar_entry *list);

/*
 * An archive as a stream, in pieces of piece bytes (0: in one). If fail, a positive errno, is set,
 * reading fails after the last byte.
 */
struct tar_stream {
	const struct buf *b;
	size_t at, piece;
	int fail;
};

/* Read a struct tar_stream; this is a layer_read (lib/layer/layer.h). */
ssize_t tar_stream_read(void *arg, const void **ret, struct err *e);

#endif
