/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_IMAGE_UNPACK_H
#define CMD_IMAGE_UNPACK_H

#include "cmd.h"

struct layer_options;
struct source;
struct store;

/* image-unpack --scan: print what the image needs. Returns like a command's run(). */
int unpack_scan(const struct source *src, const struct layer_options *o, struct ctx *ctx, struct err *e);

/* image-unpack --verify: compare the image's layers with their specifications. Returns like a command's run(). */
int unpack_verify(struct store *s, const char *name, struct ctx *ctx, struct err *e);

/* image-unpack --remove: -EBUSY with the mount named when an overlay of the image is mounted, in any mount namespace that can be seen. */
int unpack_check_unmounted(const struct store *store, const char *name, struct err *e);

/* image-unpack --bundle: make one in dir of the image that is the first operand. Returns like a command's run(). */
int unpack_bundle(struct store *s, const char *dir, const struct strv *maps, bool terminal, struct ctx *ctx, struct err *e);

#endif
