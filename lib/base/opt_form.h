/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_OPT_FORM_H
#define BASE_OPT_FORM_H

#include "opt.h"

/*
 * A form of a command: a subcommand, or a mode that an option selects. The first form of a table is
 * the default. Bit i of opt.forms stands for form i.
 */
struct opt_form {
	const char *name;    /* in messages: "explain", "--flat", "unpacking into a store"; NULL
	                        ends a table */
	const char *word;    /* the first operand that selects it, or NULL */
	const char *options; /* the options that select it, blank-separated, or NULL */
	const char *brief;   /* one line for --help, without a full stop; or NULL */
	const char *const *synopsis; /* one line each, without the command's name; NULL-terminated
	                              */
};

#define OPT_SYNOPSIS(...) ((const char *const[]){ __VA_ARGS__, NULL })

enum { OPT_FORMS_MAX = 8 };

/* Return the number of forms; forms may be NULL. */
size_t opt_form_count(const struct opt_form *forms);

/* Does this form accept the option? */
bool opt_form_accepts(size_t form, const struct opt *o);

/* Is o one of the options that select this form? */
bool opt_form_selected_by(const struct opt_form *form, const struct opt *o);

/*
 * Returns the index of the form that the line selects: that of its first operand, or the first in
 * the table that one of its options selects. Returns -1 if it selects none.
 */
int opt_form_selected(const struct opt_form *forms, const struct opt_line *l);

/*
 * Refuses options that the form does not accept, and options without another one that they need;
 * what an option needs counts only in forms that accept it. sets are those that were parsed.
 * Returns 0, or -EINVAL with e->usage set.
 */
MUST_CHECK int opt_form_check(const struct opt_form *forms, size_t form, const struct opt_line *l,
	const struct opt_set *sets, size_t n_sets, struct err *e);

#endif
