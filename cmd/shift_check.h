/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_SHIFT_CHECK_H
#define CMD_SHIFT_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd.h"

struct check_args {
	struct strv maps;
	const char *source, *spec, *image, *store;
	uint32_t threads, max_findings;
	unsigned only;      /* a bit for each class of findings; 0: all */
	bool summary;
};

/* The subcommands: operands are what follows the word. They return like a command's run(). */
int check_verify(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);

#endif
