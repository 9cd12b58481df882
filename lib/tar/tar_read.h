/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_TAR_READ_H
#define TAR_TAR_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "tar_check.h"

/*
 * libarchive's tar reader with tar_check before it: the headers are read twice, and must say the
 * same. For entry.c (layers) and image_archive_reader.c (archives around images) alone; what an entry says
 * is asked of libarchive, through tar_read_entry().
 */
struct tar_read;
struct archive;
struct archive_entry;

struct tar_read_source {
	/*
	 * The next piece: sets *ret to it (valid until the next call) and returns its length, 0 at
	 * the end, -errno with e filled.
	 */
	ssize_t (*read)(void *arg, const void **ret, struct err *e);

	/* May n bytes of a body be passed over unread? Does so, and returns true. NULL: never. */
	bool (*skip)(void *arg, uint64_t n);
	tar_check_count *count; /* NULL: nobody does */
	void *arg;
	bool may_be_empty; /* no bytes at all are an archive without entries, not an error */
};

int tar_read_open(const struct tar_read_source *source, struct tar_read **ret, struct err *e);
void tar_read_free(struct tar_read *r);

/*
 * 1 and what the headers of the next entry say, 0 at the end, -errno with e filled: the entry has a
 * name.
 */
int tar_read_next(struct tar_read *r, struct tar_fact *ret, struct err *e);

/* The entry of the last tar_read_next(), and the archive it is from. */
struct archive_entry *tar_read_entry(const struct tar_read *r);
struct archive *tar_read_archive(const struct tar_read *r);

/*
 * libarchive gave up: for a reason of ours (that of read, or of tar_check), or for one of its own.
 * on: the entry, or NULL.
 */
int tar_read_broken(const struct tar_read *r, const char *on, struct err *e);

#endif
