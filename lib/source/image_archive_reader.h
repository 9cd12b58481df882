/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_IMAGE_ARCHIVE_READER_H
#define SOURCE_IMAGE_ARCHIVE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"

/* The members of the tar that contains an image, in order. image_archive.c alone uses this. */
struct image_archive_reader;

/* A member as its headers describe it. The strings are valid until the next call. */
struct image_archive_entry {
	const char *name;
	const char *hardlink, *symlink; /* the target, or NULL */
	bool regular, directory;        /* regular: without holes */
	uint64_t offset, size; /* of the body of a regular file, in the uncompressed stream */
};

/*
 * Read a regular file from its beginning. plain says that it is not compressed, so that bodies can
 * be skipped. fd stays the caller's.
 */
MUST_CHECK int image_archive_reader_open(
	int fd, bool plain, struct image_archive_reader **ret, struct err *e);
void image_archive_reader_free(struct image_archive_reader *r);

static inline void cleanup_image_archive_reader(struct image_archive_reader **r)
{
	image_archive_reader_free(*r);
}

#define scoped_image_archive_reader __attribute__((cleanup(cleanup_image_archive_reader)))

/* Read the next member. Returns 1, 0 at the end, or -errno with e filled (-EBADMSG: damaged). */
MUST_CHECK int image_archive_reader_next(
	struct image_archive_reader *r, struct image_archive_entry *ret, struct err *e);

#endif
