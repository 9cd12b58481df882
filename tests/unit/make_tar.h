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
 * One tar entry, written as it is said, however wrong. Fields left 0 are those of a file of 0:0
 * 0644.
 */
struct tar_entry {
	const char *name;
	char type; /* '0' for 0 */
	const char *link, *data;
	size_t size; /* of data, if it is no string */
	unsigned mode, uid, gid, major, minor;
	uint64_t mtime;
	const char *pax[6];  /* "key=value", each a record of an extended header before the entry */
	const char *raw_pax; /* the extended header's whole body */
	struct {
		size_t at;
		const char *bytes;
		size_t n;
	} patch; /* last change of the header, before its checksum */
	bool bad_sum;
};

void tar_add(struct buf *b, const struct tar_entry *t);

/* All the entries up to one without a name, with the two blocks that end an archive. */
struct buf tar_make(const struct tar_entry *list);

/*
 * An archive as a stream, in pieces of that many bytes; fails with fail (a positive errno) after
 * its last byte.
 */
struct tar_stream {
	const struct buf *b;
	size_t at, piece;
	int fail;
};

/* Reads it: a layer_read (lib/layer/layer.h). */
ssize_t tar_stream_read(void *arg, const void **ret, struct err *e);

#endif
