/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_OPTDOC_H
#define BASE_OPTDOC_H

#include <stdio.h>

#include "opt.h"

/*
 * What a table of options says of itself. All return 0, or -errno when writing failed. synopsis is
 * a NULL-terminated list of lines without the command's name.
 */
int optdoc_help(const char *name, const char *brief, const char *const *synopsis,
	const struct opt_set *sets, size_t n_sets, FILE *f);

/* The option block of a manual page, in mdoc: .Bl ... .It Fl ... .El */
int optdoc_mdoc(const struct opt_set *sets, size_t n_sets, FILE *f);

/* The lines of SYNOPSIS in mdoc. */
int optdoc_mdoc_synopsis(const char *name, const char *const *synopsis, FILE *f);

/*
 * A word of a second language that a command understands (the options of -o), and its line in the
 * manual.
 */
struct optdoc_item {
	const char *name, *arg; /* arg: "=DIR", "[=MODE]" or "" */
	const char *help;       /* plain text without its full stop */
};

/* Such a list, in mdoc. item gives row i, or false past the end. */
int optdoc_mdoc_items(bool (*item)(size_t i, struct optdoc_item *ret), FILE *f);

/* One command, as the completion scripts need it. */
struct optdoc_cmd {
	const char *name, *brief;
	const struct opt_set *sets;
	size_t n_sets;
	enum opt_comp operand_comp;
	const char *operand_words;
};

/* A whole completion script for all n commands, for shiftbox and the links named after them. */
int optdoc_bash(const struct optdoc_cmd *cmds, size_t n, FILE *f);
int optdoc_zsh(const struct optdoc_cmd *cmds, size_t n, FILE *f);
int optdoc_fish(const struct optdoc_cmd *cmds, size_t n, FILE *f);

#endif
