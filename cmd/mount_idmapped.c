/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount-idmapped: to be written. */

#include "cmd.h"

static const struct opt mount_idmapped_opts[] = { OPT_END };
static const char *const mount_idmapped_synopsis[] = { NULL };

static int mount_idmapped_run(void *args, struct ctx *ctx, struct err *e)
{
	(void)args;
	(void)ctx;
	return err_usage(e, "not there yet");
}

const struct cmd cmd_mount_idmapped = {
	.name = "mount-idmapped", .brief = "To be written", .synopsis = mount_idmapped_synopsis, .opts = mount_idmapped_opts, .run = mount_idmapped_run,
};
