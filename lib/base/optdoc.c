/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * optdoc: --help from the tables. The manual is made in optdoc_mdoc.c, completions in
 * optdoc_shell.c.
 */

#include "optdoc.h"

#include <errno.h>
#include <string.h>

enum { WIDTH = 80, HELP_COLUMN = 28 };

/* Words of text, wrapped at WIDTH; at: the column reached; later lines start at indent. */
static void print_wrapped(FILE *f, const char *text, size_t at, size_t indent)
{
	bool first = true;

	for (const char *w = text; *w;) {
		size_t n = strcspn(w, " ");

		if (!first && at + 1 + n > WIDTH) {
			(void)fprintf(f, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			(void)fputc(' ', f);
			at++;
		}
		(void)fprintf(f, "%.*s", (int)n, w);
		at += n;
		first = false;
		w += n;
		w += strspn(w, " ");
	}
	(void)fputc('\n', f);
}

static void print_option(const struct opt *o, FILE *f)
{
	char left[128], help[512];
	int n;

	n = snprintf(left, sizeof(left), "  %c%c%c --%s%s%s", o->letter ? '-' : ' ',
		o->letter ? o->letter : ' ', o->letter ? ',' : ' ', o->name, o->arg ? "=" : "",
		o->arg ? o->arg : "");
	(void)snprintf(help, sizeof(help), "%s%s%s%s", o->help, o->words ? " (" : "",
		o->words ? o->words : "", o->words ? ")" : "");

	if (n + 2 > HELP_COLUMN)
		(void)fprintf(f, "%s\n%*s", left, HELP_COLUMN, "");
	else
		(void)fprintf(f, "%-*s", HELP_COLUMN, left);
	print_wrapped(f, help, HELP_COLUMN, HELP_COLUMN);
}

static void print_options(const char *title, const struct opt_set *sets, size_t n_sets, FILE *f)
{
	bool any = false;

	for (size_t s = 0; s < n_sets; s++) {
		for (const struct opt *o = sets[s].opts; o->name; o++) {
			if (!any)
				(void)fprintf(f, "\n%s:\n", title);
			any = true;
			print_option(o, f);
		}
	}
}

int optdoc_help(const char *name, const char *brief, const char *const *synopsis,
	const struct opt_set *sets, size_t n_sets, FILE *f)
{
	for (size_t i = 0; synopsis[i]; i++) {
		int n = fprintf(f, "%s %s ", i ? "      " : "Usage:", name);

		print_wrapped(f, synopsis[i], n > 0 ? (size_t)n : 0, 10);
	}
	(void)fprintf(f, "\n%s.\n", brief);
	print_options("Options", sets, n_sets ? 1 : 0, f);
	print_options("Common options", sets + 1, n_sets ? n_sets - 1 : 0, f);
	return ferror(f) ? -EIO : 0;
}
