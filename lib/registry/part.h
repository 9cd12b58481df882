/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGISTRY_PART_H
#define REGISTRY_PART_H

#include <stdint.h>

#include "../base/err.h"
#include "../tar/digest.h"

/*
 * The part of a blob that has arrived, in a file sha256-HEX. While the blob arrives, a thread
 * passes it on from one pipe to another, and writes the file beside. After the end of the process,
 * whatever ended it, the file has what had arrived, and a later process goes on from there. The
 * file proves nothing: all of the blob is verified, as if it had arrived just now.
 *
 * Several processes may write one file: what each byte has to be is decided by the digest. A file
 * that cannot be written (a full disk) is removed, and the blob is passed on all the same.
 */
struct part;

enum { PART_MIN = 16 << 20 }; /* a smaller blob is not worth a file */

/*
 * Open the part of a blob of this size in dirfd, which is borrowed, and set *ret_have to the number
 * of bytes that it has. Returns 0, or -errno (without an err) if there can be no file.
 */
MUST_CHECK int part_open(
	int dirfd, const struct digest *d, uint64_t size, struct part **ret, uint64_t *ret_have);

/*
 * Start the thread. *ret_fd, which the caller closes, is the pipe with the whole blob: what the
 * part has, then what arrives in data, which p owns from now on (-1: nothing is missing).
 */
MUST_CHECK int part_feed(struct part *p, int data, int *ret_fd, struct err *e);

/* Remove the file when p is freed: the blob is not what it should be, or is not needed any more. */
void part_drop(struct part *p);

/* Stop, keep what has arrived, and free p. */
void part_free(struct part *p);

/* Remove the file of a blob. */
void part_remove(int dirfd, const struct digest *d);

#endif
