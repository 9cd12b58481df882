/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_IMAGE_ARCHIVE_READER_H
#define SOURCE_IMAGE_ARCHIVE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"

/* The members of the tar that contains an image, in order. image_archive.c alone uses this. */
struct image_archive_reader;
struct members;

/* A member as its headers describe it. The strings are valid until the next call. */
struct image_archive_entry {
	const char *name;
	const char *hardlink, *symlink; /* the target, or NULL */
	bool regular, directory;        /* regular: without holes */
	uint64_t offset, size; /* of the body of a regular file, in the uncompressed stream */
};

/*
 * Read a regular file from its beginning. plain says that it is not compressed, even if its
 * beginning looks so. fd stays the caller's.
 */
MUST_CHECK int image_archive_reader_open(
	int fd, bool plain, struct image_archive_reader **ret, struct err *e);

/* Can bodies be skipped, because the file is not compressed? */
bool image_archive_reader_skips(const struct image_archive_reader *r);

void image_archive_reader_free(struct image_archive_reader *r);

static inline void cleanup_image_archive_reader(struct image_archive_reader **r)
{
	image_archive_reader_free(*r);
}

#define scoped_image_archive_reader __attribute__((cleanup(cleanup_image_archive_reader)))

/* Read the next member. Returns 1, 0 at the end, or -errno with e filled (-EBADMSG: damaged). */
MUST_CHECK int image_archive_reader_next(
	struct image_archive_reader *r, struct image_archive_entry *ret, struct err *e);

/* Read the body of the last member for members_data(). Returns 0 or -errno with e filled. */
MUST_CHECK int image_archive_reader_data(
	struct image_archive_reader *r, struct members *to, struct err *e);

#endif
