/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/base/err.h"
#include "../lib/base/opt.h"
#include "../lib/base/opt_form.h"
#include "../lib/base/optdoc.h"
#include "../lib/base/out.h"

/* Context shared by all commands. */
struct ctx {
	const char *name; /* "mount-idmapped" */
	struct out *out;  /* results */
	size_t form;      /* the index of the form that was selected, in cmd.forms */
	struct operands operands;
	bool verbose, quiet, dry_run, json;
	bool color_err; /* stderr may be coloured */
};

enum cmd_flags {
	CMD_DRY_RUN = 1,    /* the command changes something: -n/--dry-run exists */
	CMD_STOP_EARLY = 2, /* the first operand ends the options */
	CMD_ONLY_READS = 8, /* it changes nothing: a closed pipe ends it at once */
	CMD_ROOT_GUARD = 4, /* the command never chowns: install the guard before run() */
};

/* Exit statuses of all commands except those that run another program. */
enum { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_FOUND = 3 };

/*
 * Exit statuses of commands that run another program; they are those of a shell. STATUS_NOT_RUN is
 * a failure or a usage error of the command itself, whose status is otherwise that of the program.
 */
enum { STATUS_NOT_RUN = 125, STATUS_NO_EXEC = 126, STATUS_NO_COMMAND = 127, STATUS_SIGNAL = 128 };

/* Return values of before() that are not exit statuses. */
enum { BEFORE_GO_ON = 256, BEFORE_GO_ON_SETUID };

struct cmd {
	const char *name;
	const char *brief;            /* one line for --list -v, --help and the manual's NAME */
	const struct opt_form *forms; /* at least one; the first is the default */
	const struct opt *opts;       /* its own table; the common options are appended */
	const struct habit *habits;   /* words of other programs (habits.h); may be NULL */
	size_t args_size;
	size_t operands_min, operands_max; /* SIZE_MAX: any number */
	enum opt_comp operand_comp;
	bool (*item)(size_t i,
		struct optdoc_item *ret); /* the block "items" of its manual page; may be NULL */
	unsigned flags;
	const char *stopped; /* what remains after a signal: see signals_start(); may be NULL */
	int status_failed;   /* the exit status of every failure; 0: STATUS_FAILED and
	                        STATUS_USAGE */
	/*
	 * May add to the error r, and returns the exit status; STATUS_DONE: nothing is printed.
	 * NULL: every error is printed, and status_failed is the exit status.
	 */
	int (*failed)(int r, struct err *e);
	void (*init)(void *args); /* sets defaults that are not zero; may be NULL */
	/* Chooses among the forms if neither an operand nor an option selects one; may be NULL. */
	size_t (*form)(const void *args, const struct operands *o);
	/*
	 * Work that must be done before the guard, which a program started later would inherit; may
	 * be NULL. Returns BEFORE_GO_ON, or BEFORE_GO_ON_SETUID if run() starts set-uid programs
	 * (guard.h). Any other value is used like that of run(), which is then not called.
	 */
	int (*before)(void *args, struct ctx *ctx, struct err *e);
	/* Returns an exit status, or -errno with e filled. */
	int (*run)(void *args, struct ctx *ctx, struct err *e);
	void (*done)(void *args); /* frees every member that is not a LIST; may be NULL */
};

/* The commands, in cmds.h's order; NULL-terminated. */
extern const struct cmd *const commands[];

enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct common_args {
	bool json, verbose, quiet, help, version, dry_run;
	int color;
};

/* The options of every command, for struct common_args; --dry-run requires CMD_DRY_RUN. */
extern const struct opt common_opts[];
extern const struct opt dry_run_opts[];

enum { CMD_SETS_MAX = 3 };

/*
 * Fills sets with the tables of the command: its own for args, then the common ones. Returns how
 * many there are.
 */
size_t cmd_sets(const struct cmd *cmd, void *args, struct common_args *common,
	struct opt_set sets[static CMD_SETS_MAX]);

/* The command as the writers of help, manuals and completions need it; sets as cmd_sets() fills. */
struct optdoc_cmd cmd_doc(const struct cmd *cmd, const struct opt_set *sets, size_t n_sets);

/* The example of options that take a map. */
#define MAP_EXAMPLES "user:alice or 1000:100033:1"

/* The option by which commands name a store. */
#define OPT_STORE(s, m, ...) \
	OPT_STR(s, m, "store", 's', "STORE", "Use this store of layers and images", \
		.comp = COMP_DIR, \
		.more = "The default is /var/lib/shiftbox for root and $XDG_DATA_HOME/shiftbox " \
			"(or ~/.local/share/shiftbox) for other users.", \
		__VA_ARGS__)

/*
 * `shiftbox --gen KIND [NAME FILE]` (gen.c): writes the output to standard output. name is a
 * command's and file its manual page, for "mdoc". Returns 0, or -errno with e filled.
 */
MUST_CHECK int gen_main(const char *kind, const char *name, const char *file, struct err *e);

/*
 * With --json: --help of a command (options and synopsis), and --list. Return 0, or -errno with e
 * filled; e is empty for -EPIPE.
 */
MUST_CHECK int gen_help_json(const struct cmd *cmd, struct err *e);
MUST_CHECK int gen_list_json(struct err *e);

#endif
