/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_IMAGE_UNPACK_H
#define CMD_IMAGE_UNPACK_H

#include "cmd.h"

struct layer_options;
struct source;

/* image-unpack --scan: print what the image needs. Returns like a command's run(). */
int unpack_scan(const struct source *src, const struct layer_options *o, struct ctx *ctx, struct err *e);

#endif
