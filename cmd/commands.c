/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* commands: the list of commands, and the options that all of them have. */

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

enum { EXCL_COMMON = 1 << 7 }; /* not used by any command */

const struct opt common_opts[] = {
	OPT_FLAG(struct common_args, json, "json", 0, "Print results and errors as JSON"),
	OPT_FLAG(struct common_args, verbose, "verbose", 'v',
		"Log every step and decision to stderr", .excl = EXCL_COMMON),
	OPT_FLAG(struct common_args, quiet, "quiet", 'q', "Print only results, warnings and errors",
		.excl = EXCL_COMMON),
	OPT_CHOICE(struct common_args, color, "color", 0, "WHEN", "auto always never",
		"Colour the output"),
	OPT_FLAG(struct common_args, help, "help", 'h', "Show this help and exit"),
	OPT_FLAG(struct common_args, version, "version", 'V', "Show the version and exit"), OPT_END
};

const struct opt dry_run_opts[] = { OPT_FLAG(struct common_args, dry_run, "dry-run", 'n',
					    "Show what would be done and change nothing"),
	OPT_END };

size_t cmd_sets(const struct cmd *cmd, void *args, struct common_args *common,
	struct opt_set sets[static CMD_SETS_MAX])
{
	size_t n = 0;

	sets[n++] = (struct opt_set){ cmd->opts, args, cmd->habits };
	sets[n++] = (struct opt_set){ .opts = common_opts, .args = common };
	if (cmd->flags & CMD_DRY_RUN)
		sets[n++] = (struct opt_set){ .opts = dry_run_opts, .args = common };
	return n;
}

struct optdoc_cmd cmd_doc(const struct cmd *cmd, const struct opt_set *sets, size_t n_sets)
{
	return (struct optdoc_cmd){
		.name = cmd->name,
		.brief = cmd->brief,
		.sets = sets,
		.n_sets = n_sets,
		.forms = cmd->forms,
		.operand_comp = cmd->operand_comp,
	};
}
