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
 * A blob as a stream of uncompressed bytes. A thread reads, hashes and decompresses the blob into a
 * ring of a few blocks, from which the caller reads. Nothing is read twice: the digest of the blob
 * and the diff_id (the digest of the uncompressed bytes, up to the end of the stream and not only
 * of the archive in it) are computed in one pass.
 */
struct blob;

#define BLOB_SIZE_UNKNOWN UINT64_MAX

enum { BLOB_BLOCK = 256 << 10, BLOB_BLOCKS = 4 };

struct blob_input {
	int fd; /* owned by the caller; must stay open until blob_free() */
	uint64_t offset,
		size; /* in bytes, of a regular file; a pipe has offset 0 and an unknown size */
	const struct digest *digest;  /* expected digest of the blob; NULL: any */
	const struct digest *diff_id; /* expected diff_id; NULL: any */
	const int *stop; /* may be NULL; reading fails with -ECANCELED once it, or stop_signal(), is
	                    not 0 */
	uint64_t *progress; /* compressed bytes read so far, stored atomically; may be NULL */
	/*
	 * Called on the blob's thread with all uncompressed bytes, in their order. Returns 0, or
	 * -errno with e filled, which ends the reading. May be NULL.
	 */
	int (*tap)(void *arg, const void *p, size_t n, struct err *e);
	void *tap_arg;
};

struct blob_result {
	struct digest digest, diff_id;
	uint64_t size, unpacked; /* compressed and uncompressed bytes */
	const char *format;      /* as decode_format() names it; static */
};

/* Start the thread. The digests are copied. */
MUST_CHECK int blob_start(const struct blob_input *input, struct blob **ret, struct err *e);

/*
 * A layer_read of layer.h: set *ret to the next uncompressed bytes, which are valid until the next
 * call. Returns their number, 0 at the end of a blob that has the expected size and digests, or
 * -errno with e filled (-EBADMSG: the size, the digest or the diff_id is wrong, or the blob is
 * damaged or cut short).
 */
MUST_CHECK ssize_t blob_read(void *blob, const void **ret, struct err *e);

/*
 * Read what the caller has not read, at most max_rest uncompressed bytes (more are -EFBIG), and
 * check size, digest and diff_id. Returns 0 only if all of them are right.
 */
MUST_CHECK int blob_finish(
	struct blob *b, uint64_t max_rest, struct blob_result *ret, struct err *e);

/*
 * Find the cause of the caller's error r (-errno, described in e): a blob whose digest is wrong
 * explains any error in its content. Reads the rest of the blob without decompressing it. Replaces
 * e if the digest is wrong. Returns the -errno that e then describes.
 */
MUST_CHECK int blob_blame(struct blob *b, int r, struct err *e);

/* Stop the thread, wherever it is, and free the blob. */
void blob_free(struct blob *b);

static inline void cleanup_blob(struct blob **b)
{
	blob_free(*b);
}

#define scoped_blob __attribute__((cleanup(cleanup_blob)))

/*
 * If r is -EBADMSG and e has no hint yet, add one: what to do about a damaged image.
 */
void blob_say_try(int r, struct err *e);

#endif
