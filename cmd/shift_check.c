/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check: to be written. */

#include "cmd.h"

static const struct opt shift_check_opts[] = { OPT_END };
static const char *const shift_check_synopsis[] = { NULL };

static int shift_check_run(void *args, struct ctx *ctx, struct err *e)
{
	(void)args;
	(void)ctx;
	return err_usage(e, "not there yet");
}

const struct cmd cmd_shift_check = {
	.name = "shift-check", .brief = "To be written", .synopsis = shift_check_synopsis, .opts = shift_check_opts, .run = shift_check_run,
};
