/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/base/err.h"
#include "../lib/base/opt.h"
#include "../lib/base/optdoc.h"
#include "../lib/base/out.h"

/* What every command knows beside its own arguments. */
struct ctx {
	const char *name; /* "mount-idmapped" */
	struct out *out;  /* results */
	struct operands operands;
	bool verbose, quiet, dry_run, json;
	bool color_err; /* stderr may be coloured */
};

enum cmd_flags {
	CMD_DRY_RUN = 1,    /* it changes things: -n/--dry-run exists */
	CMD_STOP_EARLY = 2, /* the first operand ends the options */
	CMD_ROOT_GUARD = 4, /* never chowns: install the guard before run() */
};

/* Exit statuses of all commands, but for those that run another one. */
enum { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_FOUND = 3 };

/*
 * Of those that run another program, as the shell has it: what is printed with them is an error.
 * STATUS_NOT_RUN: a failure, or a fault of usage, of one whose status is else that program's.
 */
enum { STATUS_NOT_RUN = 125, STATUS_NO_EXEC = 126, STATUS_NO_COMMAND = 127, STATUS_SIGNAL = 128 };

/* No exit statuses. */
enum { BEFORE_GO_ON = 256, BEFORE_GO_ON_SETUID };

struct cmd {
	const char *name;
	const char *brief; /* one line for --list -v, --help and the manual's NAME */
	const char *const
		*synopsis;      /* one line each, without the command's name; NULL-terminated */
	const struct opt *opts; /* its own table; the common ones are appended */
	size_t args_size;
	size_t operands_min, operands_max; /* SIZE_MAX: any number */
	enum opt_comp operand_comp;
	const char *operand_words; /* for COMP_WORDS: the first operand's words */
	bool (*item)(size_t i,
		struct optdoc_item *ret); /* the block "items" of its manual page; may be NULL */
	unsigned flags;
	int status_failed; /* the exit status of all its failures; 0: STATUS_FAILED and STATUS_USAGE
	                    */
	void (*init)(void *args); /* defaults that are not zero; may be NULL */
	/*
	 * What must happen before the guard, which a program started later would inherit; may be
	 * NULL. Returns BEFORE_GO_ON, or BEFORE_GO_ON_SETUID where run() starts set-uid programs
	 * (guard.h), or else what run() would, which is then not called.
	 */
	int (*before)(void *args, struct ctx *ctx, struct err *e);
	/* Returns an exit status, or -errno with e filled. */
	int (*run)(void *args, struct ctx *ctx, struct err *e);
	void (*done)(void *args); /* frees what is not a LIST; may be NULL */
};

/* The commands, in cmds.h's order; NULL-terminated. */
extern const struct cmd *const commands[];

enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct common_args {
	bool json, verbose, quiet, help, version, dry_run;
	int color;
};

/* The options that every command has, for struct common_args; --dry-run only with CMD_DRY_RUN. */
extern const struct opt common_opts[];
extern const struct opt dry_run_opts[];

/* The one option by which commands name a store. */
#define OPT_STORE(s, m) \
	OPT_STR(s, m, "store", 's', "STORE", "Use this store of layers and images", \
		.comp = COMP_DIR, \
		.more = "The default is /var/lib/shiftbox for root and $XDG_DATA_HOME/shiftbox " \
			"(or ~/.local/share/shiftbox) for others.")

/* `shiftbox --gen KIND`: see gen.c. Returns an exit status. */
int gen_main(const char *kind, const char *name, const char *file, struct err *e);

#endif
