/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack: to be written. */

#include "cmd.h"

static const struct opt image_unpack_opts[] = { OPT_END };
static const char *const image_unpack_synopsis[] = { NULL };

static int image_unpack_run(void *args, struct ctx *ctx, struct err *e)
{
	(void)args;
	(void)ctx;
	return err_usage(e, "not there yet");
}

const struct cmd cmd_image_unpack = {
	.name = "image-unpack", .brief = "To be written", .synopsis = image_unpack_synopsis, .opts = image_unpack_opts, .run = image_unpack_run,
};
