/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* commands: the tables that belong to all of them. */

#include "cmd.h"

#define CMD(name) extern const struct cmd cmd_##name;
#include "cmds.h"
#undef CMD

#define CMD(name) &cmd_##name,
const struct cmd *const commands[] = {
#include "cmds.h"
	NULL
};
#undef CMD

const struct opt common_opts[] = {
	OPT_FLAG(struct common_args, json, "json", 0, "Print results and errors as JSON"),
	OPT_FLAG(struct common_args, verbose, "verbose", 'v',
		"Say each step, choice and fallback on stderr", .excl = 255),
	OPT_FLAG(struct common_args, quiet, "quiet", 'q', "Print nothing but results and errors",
		.excl = 255),
	OPT_CHOICE(struct common_args, color, "color", 0, "WHEN", "auto always never",
		"Colour the output"),
	OPT_FLAG(struct common_args, help, "help", 'h', "Show this help and exit"),
	OPT_FLAG(struct common_args, version, "version", 'V', "Show the version and exit"), OPT_END
};

const struct opt dry_run_opts[] = { OPT_FLAG(struct common_args, dry_run, "dry-run", 'n',
					    "Show what would be done and change nothing"),
	OPT_END };
