/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_IMAGE_USER_H
#define IMAGE_IMAGE_USER_H

#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/vec.h"

/* The ids that an image's program runs with: ids of the image (disk ids). */
struct image_user {
	uint32_t uid, gid;
	VEC(uint32_t) groups; /* supplementary, each once, without gid */
};

/*
 * Resolve the "User" of an image's configuration (OCI image-spec, config.md): USER, UID,
 * USER:GROUP, UID:GID, UID:GROUP, USER:GID, or "" for root. A word of digits is a number. passwd
 * and group are the content of the image's files, "" if it has none; the users of the host are not
 * consulted. Without a group, gid is that of the user's passwd line (0 for a number without a
 * line), and the supplementary groups are those that list the user. With a group there are no
 * supplementary groups. -ENOENT: no such user or group; -ERANGE: not a valid id. Zero-initialise
 * *ret, and free it with image_user_done().
 */
MUST_CHECK int image_user_resolve(const char *word, const char *passwd, const char *group,
	struct image_user *ret, struct err *e);

void image_user_done(struct image_user *u);

#define scoped_image_user __attribute__((cleanup(image_user_done)))

#endif
