/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_IMAGE_ARCHIVE_H
#define SOURCE_IMAGE_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "../tar/members.h"

/*
 * An index of the tar that contains an image (oci-archive, docker-archive): the regular files in it
 * and their offsets. The archive is read once, bodies are skipped, and its names are never used as
 * paths on disk; members are then read by offset. An archive that is compressed or a pipe is first
 * copied into an unlinked file.
 *
 * Names have the form that tar_name_normal() returns. Members whose names leave the archive are
 * omitted. Hard and symbolic links are resolved by name to other members.
 */
struct image_archive;

enum {
	IMAGE_ARCHIVE_MAX_MEMBERS = 1 << 16, /* an image of 500 layers has about 1,500 */
	IMAGE_ARCHIVE_MAX_NAMES = 16 << 20,  /* bytes of all names together */
	IMAGE_ARCHIVE_MAX_LINKS = 16,        /* links followed in a row */
};

/*
 * Index the archive in fd, which the caller keeps. A regular file is read from its beginning,
 * whatever its position. on is the name of the archive, for messages. Returns 0 or -errno with e
 * filled (-EFBIG: a copy would have more than max_bytes bytes; -EBADMSG: the archive is damaged,
 * cut short, or can be read in two ways).
 */
MUST_CHECK int image_archive_open(
	int fd, const char *on, uint64_t max_bytes, struct image_archive **ret, struct err *e);
void image_archive_free(struct image_archive *o);

/*
 * Is this the archive of an image, or a layer? All members of a regular file are looked at; those
 * of a compressed one until a layer is likely, or max_bytes bytes were read. MEMBERS_NONE: it has
 * no member; MEMBERS_LAYER also if it cannot be read.
 */
enum members_kind image_archive_look(int fd, uint64_t max_bytes);

/* Does the archive have a member with this name, of any type but a directory? */
bool image_archive_has(const struct image_archive *o, const char *name);

/*
 * Find the offset and size of a regular file. Returns 0 or, with e filled, -ENOENT, -EINVAL (not a
 * regular file; a link that leaves the archive; a name that several members have, of which readers
 * choose different ones) or -ELOOP.
 */
MUST_CHECK int image_archive_find(const struct image_archive *o, const char *name,
	uint64_t *ret_offset, uint64_t *ret_size, struct err *e);

/* The file that the offsets refer to; o keeps it. */
int image_archive_fd(const struct image_archive *o);

#endif
