/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_TAR_READ_H
#define TAR_TAR_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "tar_check.h"

/*
 * libarchive's tar reader behind tar_check: the headers are read twice, and both readings must
 * agree. Only layer/entry.c (layers) and source/image_archive_reader.c (archives of images) use
 * this; they query libarchive for the details of an entry through tar_read_entry().
 */
struct tar_read;
struct archive;
struct archive_entry;

struct tar_read_source {
	/*
	 * Set *ret to the next bytes, which are valid until the next call. Returns their number, 0
	 * at the end, or -errno with e filled.
	 */
	ssize_t (*read)(void *arg, const void **ret, struct err *e);

	/* Skip n bytes of a body if the source can; returns whether it did. May be NULL. */
	bool (*skip)(void *arg, uint64_t n);
	tar_check_count *count; /* may be NULL */
	void *arg;
	bool may_be_empty; /* accept a stream of no bytes as an archive without entries */
};

/*
 * Start reading an archive; source is copied. Returns 0, or -errno with e filled (-ENOMEM,
 * -EBADMSG, or an error of reading the source).
 */
MUST_CHECK int tar_read_open(
	const struct tar_read_source *source, struct tar_read **ret, struct err *e);
void tar_read_free(struct tar_read *r);

/*
 * Read the headers of the next entry, whose name is never NULL. Returns 1, 0 at the end, or -errno
 * with e filled.
 */
MUST_CHECK int tar_read_next(struct tar_read *r, struct tar_fact *ret, struct err *e);

/* The entry of the last tar_read_next(), and its archive; r keeps ownership of both. */
struct archive_entry *tar_read_entry(const struct tar_read *r);
struct archive *tar_read_archive(const struct tar_read *r);

/*
 * Fill e after libarchive failed: with the error of the source or of tar_check if there was one,
 * else with libarchive's. on is the entry, or NULL. Returns -errno.
 */
MUST_CHECK int tar_read_failed(const struct tar_read *r, const char *on, struct err *e);

#endif
