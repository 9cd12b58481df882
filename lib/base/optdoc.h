/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_OPTDOC_H
#define BASE_OPTDOC_H

#include <stdio.h>

#include "opt.h"
#include "opt_form.h"

/* A command, as the writers of help, manual pages and completions need it. */
struct optdoc_cmd {
	const char *name, *brief;
	const struct opt_set *sets; /* the first has the command's own options */
	size_t n_sets;
	const struct opt_form *forms;
	enum opt_comp operand_comp; /* COMP_WORDS: first the words of the forms, then files */
};

/* All functions return 0, or -errno if writing failed. */

/*
 * --help. form is the form that the command line selects; -1 gives the overview, which lists the
 * subcommands instead of the command's own options if there are any. columns is the width of the
 * terminal, or 0; lines have at most 80 in any case.
 */
int optdoc_help(const struct optdoc_cmd *c, int form, size_t columns, FILE *f);

/* Parts of optdoc_mdoc() other than a form's options. */
enum { OPTDOC_ALL = -1, OPTDOC_COMMON = -2 };

/*
 * The list of options in mdoc: those of the form in the first set, all (OPTDOC_ALL), or those of
 * the other sets (OPTDOC_COMMON).
 */
int optdoc_mdoc(const struct optdoc_cmd *c, int part, FILE *f);

/* The lines of SYNOPSIS in mdoc. */
int optdoc_mdoc_synopsis(const struct optdoc_cmd *c, FILE *f);

/* A word of a second language that a command understands (the options of -o), for the manual. */
struct optdoc_item {
	const char *name, *arg; /* arg: "=DIR", "[=MODE]" or "" */
	const char *help;       /* plain text without its full stop */
};

/* The list of these words in mdoc. item gives row i, or false past the end. */
int optdoc_mdoc_items(bool (*item)(size_t i, struct optdoc_item *ret), FILE *f);

/*
 * A completion script for all n commands, for shiftbox and the links named after them. Once a form
 * is selected, only its options are offered.
 */
int optdoc_bash(const struct optdoc_cmd *cmds, size_t n, FILE *f);
int optdoc_zsh(const struct optdoc_cmd *cmds, size_t n, FILE *f);
int optdoc_fish(const struct optdoc_cmd *cmds, size_t n, FILE *f);

#endif
