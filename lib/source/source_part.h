/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SOURCE_PART_H
#define SOURCE_SOURCE_PART_H

#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "source.h"

/* A file of an OCI layout, or a member of an archive: size bytes at offset of fd. */
struct source_part {
	int fd; /* owned */
	uint64_t offset, size;
};

static inline void cleanup_source_part(struct source_part *p)
{
	cleanup_fd(&p->fd);
}

#define SOURCE_PART_INIT ((struct source_part){ .fd = -1 })
#define scoped_source_part __attribute__((cleanup(cleanup_source_part)))

/*
 * Open a regular file by its relative name. In a directory no symbolic link is followed; in an
 * archive links are followed as long as they stay inside. Returns 0 or -errno with e filled
 * (-ENOENT, -ELOOP, -EINVAL: not a regular file).
 */
MUST_CHECK int source_part_open(
	const struct source *s, const char *name, struct source_part *ret, struct err *e);

/*
 * Append the whole part to ret. name is for messages. Returns 0 or -errno with e filled (-EFBIG:
 * larger than max bytes; -EBADMSG: the file became shorter).
 */
MUST_CHECK int source_part_read(
	const struct source_part *p, const char *name, size_t max, struct buf *ret, struct err *e);

/*
 * Open a blob by its name in the source. Returns 0 or -errno with e filled (-ENOENT: it is missing;
 * -EBADMSG: it has another size than size, which its descriptor says).
 */
MUST_CHECK int source_part_open_blob(const struct source *s, const char *name, uint64_t size,
	struct source_part *ret, struct err *e);

/*
 * Append the blob of a document to ret, verified against its digest. Errors: those of
 * source_part_open_blob(), -EFBIG (larger than JSON_MAX_BYTES), and -EBADMSG also for a wrong
 * digest.
 */
MUST_CHECK int source_part_read_blob(const struct source *s, const char *name,
	const struct digest *digest, uint64_t size, struct buf *ret, struct err *e);

/* Hand the descriptor and the offset over to the caller, as source.open_layer() returns them. */
void source_part_give(struct source_part *p, int *ret_fd, uint64_t *ret_offset);

/*
 * Allocate s->layers for n layers, for n_layers to count. doc is the document that lists them.
 * Returns 0, -EINVAL if n is 0, or -ENOMEM, with e filled.
 */
MUST_CHECK int source_layers_alloc(struct source *s, size_t n, const char *doc, struct err *e);

/* Open a file with source_part_open(), and append its content with source_part_read(). */
MUST_CHECK int source_part_read_file(
	const struct source *s, const char *name, size_t max, struct buf *ret, struct err *e);

#endif
