/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_IMAGE_ARCHIVE_PRIV_H
#define SOURCE_IMAGE_ARCHIVE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"

/* The stream below an index, for image_archive*.c alone. */

/* A member as the headers say. The strings are valid until the next one. */
struct image_archive_entry {
	const char *name;
	const char *hardlink, *symlink; /* the target, or NULL */
	bool regular, directory;        /* regular: whole, with no holes */
	uint64_t offset, size; /* of the body of a regular one, in the uncompressed stream */
};

struct image_archive_reader;

/*
 * From the beginning of a regular file. plain: it is not compressed, so bodies can be passed over.
 * fd stays the caller's.
 */
int image_archive_reader_open(int fd, bool plain, struct image_archive_reader **ret, struct err *e);
void image_archive_reader_free(struct image_archive_reader *r);

static inline void cleanup_image_archive_reader(struct image_archive_reader **r)
{
	image_archive_reader_free(*r);
}

#define scoped_image_archive_reader __attribute__((cleanup(cleanup_image_archive_reader)))

/* 1 and the next member, 0 at the end, -EBADMSG or -errno. */
int image_archive_reader_next(
	struct image_archive_reader *r, struct image_archive_entry *ret, struct err *e);

/*
 * A descriptor of a regular file that holds the uncompressed archive: fd again when it is one, or
 * of a nameless file in $TMPDIR or /var/tmp. The caller closes it.
 */
int image_archive_copy(int fd, uint64_t max_bytes, int *ret_fd, struct err *e);

#endif
