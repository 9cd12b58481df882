/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_BLOB_H
#define TAR_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "digest.h"

/*
 * A blob as a stream of uncompressed bytes. A thread of its own reads, hashes and decompresses it
 * into a ring of a few blocks, from which the caller takes them. What is read twice is nothing: the
 * digest of the blob and that of the uncompressed bytes (the diff_id, which runs to the end of the
 * stream and not of the archive in it) come from the same pass.
 */
struct blob;

#define BLOB_SIZE_UNKNOWN UINT64_MAX

enum { BLOB_BLOCK = 256 << 10, BLOB_BLOCKS = 4 };

struct blob_input {
	int fd;                      /* stays the caller's; must stay open until blob_free() */
	uint64_t offset, size;       /* of a regular file; a pipe has offset 0 and size unknown */
	const struct digest *digest; /* what they must be; NULL: anything */
	const struct digest *diff_id;
	const int *stop;    /* once it is not 0 (or stop_signal() is not), reading ends with
	                       -ECANCELED; may be NULL */
	uint64_t *progress; /* compressed bytes read so far, stored atomically; may be NULL */
};

struct blob_result {
	struct digest digest, diff_id;
	uint64_t size, unpacked; /* bytes, compressed and not */
	const char *format;      /* as of decode_format(); static */
};

/* Start the thread. The digests are copied. */
int blob_start(const struct blob_input *input, struct blob **ret, struct err *e);

/*
 * The next uncompressed bytes, a layer_read of layer.h: sets *ret (valid until the next call) and
 * returns how many, 0 at the end of a blob that is what it should be, -errno with e filled
 * (-EBADMSG: wrong digest, size or diff_id, damaged, cut short).
 */
ssize_t blob_read(void *blob, const void **ret, struct err *e);

/*
 * Read what the caller left, up to max_rest uncompressed bytes (-EFBIG beyond), and judge. 0 only
 * when size, digest and diff_id are right.
 */
int blob_finish(struct blob *b, uint64_t max_rest, struct blob_result *ret, struct err *e);

/*
 * The caller could not use the bytes: it has r (-errno) and e. When the blob is not what its digest
 * says, then that is the cause, and e is replaced. Reads the blob to its end without decompressing
 * it. Returns the -errno that e now tells of.
 */
int blob_blame(struct blob *b, int r, struct err *e);

/* Stops the thread, wherever it is. */
void blob_free(struct blob *b);

static inline void cleanup_blob(struct blob **b)
{
	blob_free(*b);
}

#define scoped_blob __attribute__((cleanup(cleanup_blob)))

/*
 * What to do when an image is damaged (r is -EBADMSG, else nothing is done), unless e says
 * something already.
 */
void blob_say_try(int r, struct err *e);

#endif
