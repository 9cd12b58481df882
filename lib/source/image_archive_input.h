/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_IMAGE_ARCHIVE_INPUT_H
#define SOURCE_IMAGE_ARCHIVE_INPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"

enum { IMAGE_ARCHIVE_PIECE = 64 << 10 };

/* The bytes of an archive in order: a regular file from its beginning, or a pipe. */
struct image_archive_input {
	int fd; /* owned by the caller */
	bool regular;
	uint64_t pos; /* bytes read so far */
	uint8_t piece[IMAGE_ARCHIVE_PIECE];
};

/* A decode_fill; arg is a struct image_archive_input. */
MUST_CHECK ssize_t image_archive_input_fill(void *arg, const void **ret, struct err *e);

#endif
