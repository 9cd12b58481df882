/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_OPTDOC_SHELL_H
#define BASE_OPTDOC_SHELL_H

#include "optdoc.h"

/* What the writers of completions (optdoc_bash.c, optdoc_zsh.c, optdoc_fish.c) have in common. */

#define EACH_OPTION(c, s, o) \
	for (size_t s = 0; s < (c)->n_sets; s++) \
		for (const struct opt *o = (c)->sets[s].opts; o->name; o++)

/* What a map may begin with; after user: and owner: comes an account, after subid: a grant's. */
#define SHELL_MAP_WORDS "user: subid: owner: auto none +"

/*
 * Writes text for the inside of single quotes: a backslash before each character of special, and
 * quote in the place of a single quote.
 */
void shell_put_quoted(FILE *f, const char *text, const char *special, const char *quote);

enum { SHELL_WORDS_MAX = 256 };

/* Returns the words of the forms, blank-separated, in buf, or NULL if there are none. */
const char *shell_operand_words(const struct optdoc_cmd *c, char buf[static SHELL_WORDS_MAX]);

/* Must a shell know the form to decide whether to offer this option? */
bool shell_depends_on_form(const struct optdoc_cmd *c, const struct opt *o);

/* Can a word or an option select this form? */
bool shell_can_select(const struct optdoc_cmd *c, const struct opt_form *form);

/* Writes the numbers of the forms that accept the option and that a shell can recognise. */
void shell_put_forms(FILE *f, const struct optdoc_cmd *c, const struct opt *o, const char *sep);

/* Returns -EIO if writing failed. */
MUST_CHECK int shell_finish(FILE *f);

#endif
