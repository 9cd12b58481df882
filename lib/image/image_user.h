/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_IMAGE_USER_H
#define IMAGE_IMAGE_USER_H

#include <stdint.h>

#include "../base/err.h"
#include "../base/vec.h"

/* As whom an image's program runs: ids of the image (disk ids). */
struct image_user {
	uint32_t uid, gid;
	VEC(uint32_t) groups; /* further ones, each once, without gid */
};

/*
 * Who "User" of an image's configuration is (OCI image-spec, config.md): USER, UID, USER:GROUP,
 * UID:GID, UID:GROUP, USER:GID, or "" for root; all digits are a number. passwd and group: the text
 * of the image's files, "" when there is none. Without a group it is the user's own, or 0 for a
 * number that passwd does not have, and the further ones are those that list the user; with one
 * there are no further ones. -ENOENT: no such user or group; -ERANGE: no id. The system's own users
 * are not asked. Zero-initialise *ret, free it with image_user_done().
 */
int image_user_resolve(const char *word, const char *passwd, const char *group,
	struct image_user *ret, struct err *e);

void image_user_done(struct image_user *u);

#define scoped_image_user __attribute__((cleanup(image_user_done)))

#endif
