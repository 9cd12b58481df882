/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_TAR_READ_H
#define TAR_TAR_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "tar_check.h"

/*
 * libarchive's tar reader with tarcheck before it: the headers are read twice, and must say the
 * same. For entry.c (layers) and outer_reader.c (archives around images) alone; what an entry says
 * is asked of libarchive, through tarread_entry().
 */
struct tarread;
struct archive;
struct archive_entry;

struct tarread_source {
	/*
	 * The next piece: sets *ret to it (valid until the next call) and returns its length, 0 at
	 * the end, -errno with e filled.
	 */
	ssize_t (*read)(void *arg, const void **ret, struct err *e);

	/* May n bytes of a body be passed over unread? Does so, and returns true. NULL: never. */
	bool (*skip)(void *arg, uint64_t n);
	tarcheck_count *count; /* NULL: nobody does */
	void *arg;
	bool may_be_empty; /* no bytes at all are an archive without entries, not an error */
};

int tarread_open(const struct tarread_source *source, struct tarread **ret, struct err *e);
void tarread_free(struct tarread *r);

/*
 * 1 and what the headers of the next entry say, 0 at the end, -errno with e filled: the entry has a
 * name.
 */
int tarread_next(struct tarread *r, struct tarfact *ret, struct err *e);

/* The entry of the last tarread_next(), and the archive it is from. */
struct archive_entry *tarread_entry(const struct tarread *r);
struct archive *tarread_archive(const struct tarread *r);

/*
 * libarchive gave up: for a reason of ours (that of read, or of tarcheck), or for one of its own.
 * on: the entry, or NULL.
 */
int tarread_broken(const struct tarread *r, const char *on, struct err *e);

#endif
