/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_IMAGE_ARCHIVE_H
#define SOURCE_IMAGE_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"

/*
 * The tar around an image (oci-archive, docker-archive): which regular files it holds, and where.
 * The archive is read once, bodies are passed over, and nothing is ever written where its names
 * say; a member is then read by its offset. One that is compressed or a pipe is copied into a
 * nameless file first.
 *
 * Names are those of layer entries (tar_name_normal()). Members whose names lead out of the archive
 * cannot be asked for, and are left out. Links, hard or symbolic, lead to other members by name
 * alone.
 */
struct image_archive;

enum {
	IMAGE_ARCHIVE_MAX_MEMBERS = 1 << 16, /* an image of 500 layers has some 1,500 */
	IMAGE_ARCHIVE_MAX_NAMES = 16 << 20,  /* bytes of names in all */
	IMAGE_ARCHIVE_MAX_LINKS = 16,        /* followed one after another */
};

/*
 * fd stays the caller's; a regular file is read by offset, from its beginning, whatever its
 * position. on: for messages. max_bytes: of a copy (-EFBIG beyond). -EBADMSG with e filled for an
 * archive that is damaged, cut short, or can be read in two ways.
 */
int image_archive_open(
	int fd, const char *on, uint64_t max_bytes, struct image_archive **ret, struct err *e);
void image_archive_free(struct image_archive *o);

/*
 * Could this be the archive of an image? Judged by the name of its first file, which no root
 * filesystem begins with: one that docker, an OCI layout or their kin have. Reads no more than it
 * must. False for a file that cannot be read.
 */
bool image_archive_looks_like_image(int fd);

/* Is there a member of that name, of whatever kind? */
bool image_archive_has(const struct image_archive *o, const char *name);

/*
 * Where the regular file of that name begins and how long it is. -ENOENT: there is none. Refused: a
 * name that several members have (readers do not agree on which counts), links that lead out of the
 * archive or in circles, and what is no regular file.
 */
int image_archive_find(const struct image_archive *o, const char *name, uint64_t *ret_offset,
	uint64_t *ret_size, struct err *e);

/* What the offsets are of: stays the archive's. */
int image_archive_fd(const struct image_archive *o);

#endif
